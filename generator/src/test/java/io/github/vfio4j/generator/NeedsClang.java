package io.github.vfio4j.generator;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Runs where the kernel's headers are, and clang with them. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@EnabledIfEnvironmentVariable(
    named = NeedsClang.HEADERS,
    matches = ".+",
    disabledReason = "needs clang and the kernel's headers: lab/test brings them")
@interface NeedsClang {
  /** The variable that names the directory of the headers. */
  String HEADERS = "VFIO4J_KERNEL_HEADERS";
}
