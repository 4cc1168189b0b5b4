package io.github.vfio4j.lab;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a test class of which a test that runs out of time is run once more, after all others: what
 * it needs stands still now and then by no fault of ours.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface OnceMore {
  /**
   * Whose fault it is.
   *
   * @return a sentence
   */
  String because();
}
