package io.github.vfio4j.generator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SelectionTest {

  @Test
  void takesNamesAndPatternsAndLeavesSomeOut() {
    Selection selection =
        Selection.of(
            List.of("# a comment", "", "KVM_RUN", "KVM_CAP_*  # all", "!KVM_CAP_PPC_*"),
            Target.X86);

    assertThat(selection.has("KVM_RUN")).isTrue();
    assertThat(selection.has("KVM_RUNS")).isFalse();
    assertThat(selection.has("KVM_CAP_IRQFD")).isTrue();
    assertThat(selection.has("KVM_CAP_PPC_HIOR")).isFalse();
  }

  @Test
  void leavesFieldsOut() {
    Selection selection = Selection.of(List.of("kvm_run", "!kvm_run.s390_*"), Target.X86);

    assertThat(selection.leavesOut("kvm_run.s390_tsch")).isTrue();
    assertThat(selection.leavesOut("kvm_run.mmio")).isFalse();
    assertThat(selection.leavesOut("kvm_runXs390_tsch")).isFalse();
  }

  @Test
  void aSectionCountsForItsTargetOnly() {
    List<String> lines = List.of("KVM_RUN", "[x86]", "KVM_GET_SREGS", "[arm64]", "KVM_VGIC_*");

    assertThat(Selection.of(lines, Target.X86).has("KVM_GET_SREGS")).isTrue();
    assertThat(Selection.of(lines, Target.X86).has("KVM_VGIC_V3_ADDR_TYPE_DIST")).isFalse();
    assertThat(Selection.of(lines, Target.ARM64).has("KVM_GET_SREGS")).isFalse();
    assertThat(Selection.of(lines, Target.ARM64).has("KVM_VGIC_V3_ADDR_TYPE_DIST")).isTrue();
    assertThat(Selection.of(lines, Target.ARM64).has("KVM_RUN")).isTrue();
  }

  @Test
  void tellsWhatItAskedForInVain() {
    Selection selection =
        Selection.of(List.of("KVM_RUN", "KVM_RUM", "KVM_CAP_*", "KVM_CUP_*", "!no"), Target.X86);
    assertThat(selection.has("KVM_RUN")).isTrue();
    assertThat(selection.has("KVM_CAP_IRQFD")).isTrue();

    assertThat(selection.unmet(Set.of("KVM_RUN", "KVM_CAP_IRQFD")))
        .containsExactly("KVM_RUM", "KVM_CUP_*", "no");
  }
}
