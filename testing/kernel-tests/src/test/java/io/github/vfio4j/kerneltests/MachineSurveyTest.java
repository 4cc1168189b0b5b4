package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.amd.AmdHwInfo;
import io.github.vfio4j.iommufd.HwData;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.iommufd.HwptProbe;
import io.github.vfio4j.iommufd.IommuSurvey;
import io.github.vfio4j.lab.Guest;
import io.github.vfio4j.lab.KernelRelease;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.smmuv3.ArmSmmuv3HwInfo;
import io.github.vfio4j.sysfs.Sysfs;
import io.github.vfio4j.vtd.VtdHwInfo;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the IOMMU of each machine can do. */
@OnMachine
@Bound(Device.EDU)
class MachineSurveyTest {
  private static IommuSurvey survey() throws IOException {
    return IommuSurvey.of(Sysfs.host().device(Machine.EDU));
  }

  private static List<HwptProbe.Kind> supported(IommuSurvey survey) {
    return survey.pageTables().stream().filter(HwptProbe::supported).map(HwptProbe::kind).toList();
  }

  private static HwData hardware(IommuSurvey survey) {
    return survey.hardware().map(HwInfo::data).orElseThrow();
  }

  private static boolean isSince(String release) {
    return Guest.current().kernel().compareTo(KernelRelease.parse(release)) >= 0;
  }

  @Test
  @OnMachine(value = "intel", since = "6.6")
  void tellsOfVtd() throws IOException {
    IommuSurvey survey = survey();

    VtdHwInfo vtd = VtdHwInfo.of(hardware(survey)).orElseThrow();
    String variant = Guest.current().machine();
    assertThat(vtd.addressBits()).isEqualTo(48);
    assertThat(vtd.scalableMode()).isEqualTo(!variant.equals("intel/legacy"));
    assertThat(vtd.firstStage()).isEqualTo(variant.equals("intel/first-stage"));
    assertThat(vtd.nesting()).isFalse();
    assertThat(vtd.noReadOnlyParent()).isTrue(); // Linux says so of every VT-d
    assertThat(survey.hardware().orElseThrow().dirtyTracking()).isEqualTo(vtd.dirtyBits());
    assertThat(supported(survey))
        .contains(HwptProbe.Kind.PLAIN)
        .doesNotContain(HwptProbe.Kind.NEST_PARENT, HwptProbe.Kind.DIRTY_TRACKING);
    assertThat(supported(survey).contains(HwptProbe.Kind.FAULTS)).isEqualTo(isSince("7.0"));
    assertThat(survey.iovaRanges()).first().isEqualTo(new IovaRange(0, 0xfedfffffL));
  }

  @Test
  @OnMachine("smmuv3")
  void tellsOfSmmu() throws IOException {
    IommuSurvey survey = survey();

    ArmSmmuv3HwInfo smmu = ArmSmmuv3HwInfo.of(hardware(survey)).orElseThrow();
    assertThat(smmu.streamIdBits()).isEqualTo(16);
    assertThat(smmu.aarch64Tables()).isTrue();
    assertThat(smmu.granule4k()).isTrue();
    assertThat(survey.commandQueues()).isEmpty();
    assertThat(supported(survey)).contains(HwptProbe.Kind.PLAIN, HwptProbe.Kind.NEST_PARENT);
  }

  @Test
  @OnMachine("amd")
  void tellsOfAmd() throws IOException {
    IommuSurvey survey = survey();

    assertThat(AmdHwInfo.of(hardware(survey))).isPresent();
    assertThat(supported(survey)).contains(HwptProbe.Kind.PLAIN);
  }

  @Test
  @OnMachine("virtio")
  void tellsOfAnIommuWhoseDriverDescribesNothing() throws IOException {
    IommuSurvey survey = survey();

    assertThat(hardware(survey).type()).isZero();
    assertThat(hardware(survey).bytes()).isEmpty();
    assertThat(supported(survey)).contains(HwptProbe.Kind.PLAIN);
  }

  @Test
  @OnMachine("bare")
  void tellsThatThereIsNone() throws IOException {
    IommuSurvey survey = survey();

    assertThat(survey.hardware()).isEmpty();
    assertThat(survey.pageTables()).isEmpty();
    assertThat(survey.iovaRanges()).isEmpty();
  }

  @Test
  @OnMachine(before = "6.6")
  void tellsWhichKernelCouldTell() {
    assertThatThrownBy(MachineSurveyTest::survey)
        .isInstanceOf(UnsupportedByKernelException.class)
        .hasMessageContaining("Linux 6.6 ");
  }

  @Test
  @OnMachine(
      value = {"intel", "smmuv3", "amd", "virtio"},
      since = "6.6")
  void leavesTheDeviceToOthers() throws IOException {
    HostDevice unbound = Sysfs.host().device(Machine.EDU_2);
    assertThatThrownBy(() -> IommuSurvey.of(unbound)).isInstanceOf(DeviceNotBoundException.class);

    IommuSurvey first = survey();
    try (VfioDevice device = VfioDevice.open(Machine.EDU)) {
      assertThat(device.addressSpace().iovaRanges()).isEqualTo(first.iovaRanges());
    }
    IommuSurvey again = survey();
    assertThat(again.hardware()).isEqualTo(first.hardware());
    assertThat(supported(again)).isEqualTo(supported(first));
  }
}
