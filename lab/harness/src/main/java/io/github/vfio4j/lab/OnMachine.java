package io.github.vfio4j.lab;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Marks a test class or method that runs inside a machine of the lab, and says which machines and
 * kernels it needs. A method's annotation narrows that of its class. On the host such a test is not
 * run; {@link LeakCheck} watches it where it is.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
@Tag(OnMachine.TAG)
@ExtendWith(LeakCheck.class)
public @interface OnMachine {
  /** The JUnit tag of every such test. */
  String TAG = "machine";

  /**
   * The name that the host goes by while it makes the class cache for the JVMs of the guests: tests
   * for it run there, and what they load starts quickly in a guest.
   */
  String TRAINING = "training";

  /** Stands for every machine that has an IOMMU; they all have the same devices. */
  String IOMMU = "iommu";

  /**
   * The machines it runs on, each a name from {@code lab/machines} or a name and a variant, as in
   * {@code intel/scalable}; or {@link #IOMMU} or {@link #TRAINING}.
   *
   * @return the machines; all of those in {@code lab/machines} if empty
   */
  String[] value() default {};

  /**
   * The first kernel it runs on.
   *
   * @return a version such as {@code 6.6}; any if empty
   */
  String since() default "";

  /**
   * The first kernel it no longer runs on.
   *
   * @return a version such as {@code 6.6}; none if empty
   */
  String before() default "";
}
