package io.github.vfio4j.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Where the JVM could be crashed from: in one module, and in two classes that no user has. */
class RestrictedMethodsTest {
  /** What the JDK marks the methods with that need native access. */
  private static final String RESTRICTED = "jdk.internal.javac.Restricted";

  /**
   * The system calls of the tests and of the benchmarks alone, which the library has no use for.
   */
  private static final Set<String> EXCEPTIONS =
      Set.of(
          // takes a file from another process, as sending it over a socket would
          "io.github.vfio4j.mock.ForeignFile",
          // keeps the scheduler's choices out of a latency
          "io.github.vfio4j.bench.RealTimePriority",
          // leaves pages for the kernel to make when it pins them, as Java's own memory does not
          "io.github.vfio4j.bench.UntouchedMemory");

  private static final DescribedPredicate<JavaAccess<?>> NATIVE_ACCESS =
      describe(
          "it is restricted, or looks up or makes native addresses",
          RestrictedMethodsTest::isNative);

  @Test
  void staysInOneModule() {
    noClasses()
        .that()
        .resideOutsideOfPackages(Layer.LINUX.packages())
        .and(describe("are no exceptions", type -> !isException(type)))
        .should()
        .accessTargetWhere(NATIVE_ACCESS)
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage("sun..", "jdk.internal..")
        .check(Build.CLASSES);
  }

  @Test
  void isSeenWhereItIs() {
    assertThat(EXCEPTIONS).allMatch(name -> hasNativeAccess(Build.CLASSES.get(name)));
    assertThat(Build.CLASSES.get("io.github.vfio4j.linux.Mmio"))
        .matches(RestrictedMethodsTest::hasNativeAccess, "reinterprets a segment");
  }

  private static boolean isException(JavaClass type) {
    return EXCEPTIONS.contains(type.getName());
  }

  private static boolean hasNativeAccess(JavaClass type) {
    return type.getAccessesFromSelf().stream().anyMatch(NATIVE_ACCESS);
  }

  private static boolean isNative(JavaAccess<?> access) {
    AccessTarget target = access.getTarget();
    JavaClass owner = target.getOwner();
    return target.isAnnotatedWith(RESTRICTED)
        || owner.isEquivalentTo(Linker.class)
        || owner.isEquivalentTo(SymbolLookup.class)
        || (owner.isEquivalentTo(MemorySegment.class) && target.getName().equals("ofAddress"));
  }
}
