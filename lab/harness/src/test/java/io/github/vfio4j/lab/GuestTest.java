package io.github.vfio4j.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class GuestTest {
  @OnMachine
  private static final class Anywhere {}

  @OnMachine({"intel/scalable", "bare"})
  private static final class ScalableOrBare {}

  @OnMachine(OnMachine.TRAINING)
  private static final class Training {}

  @OnMachine("intel")
  private static final class Intel {}

  @OnMachine(OnMachine.IOMMU)
  private static final class WithIommu {}

  @OnMachine(since = "6.6", before = "7.0")
  private static final class SomeKernels {}

  private static boolean suits(String machine, String kernel, Class<?> test) {
    return new Guest(machine, KernelRelease.parse(kernel))
        .meets(test.getAnnotation(OnMachine.class));
  }

  @Test
  void suitsByMachineAndVariant() {
    assertThat(suits("bare", "7.3.4", Anywhere.class)).isTrue();
    assertThat(suits("intel/scalable", "7.3.4", ScalableOrBare.class)).isTrue();
    assertThat(suits("bare", "7.3.4", ScalableOrBare.class)).isTrue();
    assertThat(suits("intel/legacy", "7.3.4", ScalableOrBare.class)).isFalse();
    assertThat(suits("intel/legacy", "7.3.4", Intel.class)).isTrue();
    assertThat(suits("bare", "7.3.4", Intel.class)).isFalse();
  }

  @Test
  void takesTheHostForNoMachine() {
    assertThat(suits("training", "7.3.4", Anywhere.class)).isFalse();
    assertThat(suits("training", "7.3.4", Training.class)).isTrue();
    assertThat(suits("bare", "7.3.4", Training.class)).isFalse();
  }

  @Test
  void suitsByIommu() {
    assertThat(suits("intel/legacy", "7.3.4", WithIommu.class)).isTrue();
    assertThat(suits("smmuv3", "7.3.4", WithIommu.class)).isTrue();
    assertThat(suits("bare", "7.3.4", WithIommu.class)).isFalse();
    assertThat(suits("training", "7.3.4", WithIommu.class)).isFalse();
  }

  @Test
  void suitsByKernel() {
    assertThat(suits("bare", "6.1.176", SomeKernels.class)).isFalse();
    assertThat(suits("bare", "6.6.0", SomeKernels.class)).isTrue();
    assertThat(suits("bare", "6.12.107-amd64", SomeKernels.class)).isTrue();
    assertThat(suits("bare", "7.0.1", SomeKernels.class)).isFalse();
  }

  @Test
  void refusesWhatIsNoRelease() {
    assertThatIllegalArgumentException().isThrownBy(() -> KernelRelease.parse("seven"));
  }
}
