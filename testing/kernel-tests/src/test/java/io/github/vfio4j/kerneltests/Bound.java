package io.github.vfio4j.kerneltests;

import io.github.vfio4j.lab.LeakCheck;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Devices that are bound to {@code vfio-pci} while the tests of a class run, or while one test
 * does; a test has those of its class as well. A class without it has those of its superclass.
 */
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
@ExtendWith({LeakCheck.class, Binder.class}) // in this order, so that binding is watched too
@interface Bound {
  Device[] value();
}
