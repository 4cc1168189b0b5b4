package io.github.vfio4j.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommu_hw_info_arm_smmuv3;
import io.github.vfio4j.bindings.iommu_hw_info_tegra241_cmdqv;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.smmuv3.ArmSmmuv3HwInfo;
import io.github.vfio4j.smmuv3.Tegra241CmdqvHwInfo;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The IOMMU is asked and tried, and nothing is left of it. */
class IommuSurveyTest {
  @TempDir Path root;
  private FakeMachine machine;

  @BeforeEach
  void start() throws VfioException {
    machine = new FakeMachine(root.resolve("machine"));
  }

  private IommuSurvey survey() throws VfioException {
    IommuSurvey survey = IommuSurvey.of(machine.host, machine.device());
    assertThat(machine.kernel.leftOpen()).isEmpty();
    return survey;
  }

  private static List<HwptProbe.Kind> supported(IommuSurvey survey) {
    return survey.pageTables().stream().filter(HwptProbe::supported).map(HwptProbe::kind).toList();
  }

  @Test
  void everyKindOfPageTableIsMadeAndDestroyed() throws VfioException {
    IommuSurvey survey = survey();

    assertThat(supported(survey)).containsExactly(HwptProbe.Kind.values());
    assertThat(survey.hardware()).isPresent();
    assertThat(survey.iovaRanges()).containsExactly(new IovaRange(0, (1L << 48) - 1));
    assertThat(machine.kernel.log())
        .filteredOn(operation -> operation.equals("IOMMU_HWPT_ALLOC"))
        .hasSize(HwptProbe.Kind.values().length);
  }

  @Test
  void refusedPageTablesAreAnAnswer() throws VfioException {
    machine.kernel.fail(Ioctl.IOMMU_HWPT_ALLOC, Errno.EOPNOTSUPP);

    IommuSurvey survey = survey();

    assertThat(supported(survey)).isEmpty();
    assertThat(survey.pageTables())
        .allSatisfy(
            probe ->
                assertThat(probe.refusal().orElseThrow())
                    .isInstanceOf(UnsupportedByKernelException.class));
  }

  @Test
  void kernelWithoutFaultQueuesMakesTheOthers() throws VfioException {
    machine.kernel.fail(Ioctl.IOMMU_FAULT_QUEUE_ALLOC, Errno.ENOTTY);

    IommuSurvey survey = survey();

    assertThat(supported(survey)).hasSize(HwptProbe.Kind.values().length - 1);
    assertThat(survey.pageTables().getLast().refusal().orElseThrow())
        .hasMessageContaining("Linux 6.11");
  }

  @Test
  void deviceBehindNoIommuIsTriedNoFurther() throws VfioException {
    machine.kernel.fail(Ioctl.IOMMU_GET_HW_INFO, Errno.ENOENT);

    IommuSurvey survey = survey();

    assertThat(survey.hardware()).isEmpty();
    assertThat(survey.pageTables()).isEmpty();
    assertThat(survey.iovaRanges()).isNotEmpty();
  }

  @Test
  void otherRefusalsAreFailures() throws VfioException {
    machine.kernel.fail(Ioctl.IOMMU_GET_HW_INFO, Errno.EFAULT);

    assertThatThrownBy(this::survey).hasMessageContaining("EFAULT");
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void smmuIsAskedForItsExtensionToo() throws VfioException {
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == Ioctl.IOMMU_GET_HW_INFO) {
            boolean extension =
                iommu_hw_info.in_data_type(reply) == iommufd_h.IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV;
            iommu_hw_info.out_data_type(
                reply,
                extension
                    ? iommufd_h.IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV
                    : iommufd_h.IOMMU_HW_INFO_TYPE_ARM_SMMUV3);
            long size =
                extension ? iommu_hw_info_tegra241_cmdqv.SIZEOF : iommu_hw_info_arm_smmuv3.SIZEOF;
            iommu_hw_info.data_len(reply, (int) size);
          }
        });

    IommuSurvey survey = survey();

    assertThat(ArmSmmuv3HwInfo.of(survey.hardware().orElseThrow().data())).isPresent();
    assertThat(survey.commandQueues().flatMap(Tegra241CmdqvHwInfo::of))
        .contains(new Tegra241CmdqvHwInfo(0, 0, 0, 0));
  }

  @Test
  void unboundDeviceIsRefused() throws VfioException {
    FakeHost files = new FakeHost(root.resolve("unbound")).device("0000:00:05.0");
    files.group(7, "0000:00:05.0");
    Host host = new Host(machine.kernel, files.sysfs());

    assertThatThrownBy(() -> IommuSurvey.of(host, files.sysfs().device(FakeMachine.ADDRESS)))
        .isInstanceOf(DeviceNotBoundException.class);
  }

  @Test
  void deviceInNoGroupIsNotOpened() throws VfioException {
    FakeHost files = new FakeHost(root.resolve("bare")).device("0000:00:05.0");
    Host host = new Host(machine.kernel, files.sysfs());

    IommuSurvey survey = IommuSurvey.of(host, files.sysfs().device(FakeMachine.ADDRESS));

    assertThat(survey.hardware()).isEmpty();
    assertThat(survey.iovaRanges()).isEmpty();
    assertThat(machine.kernel.log()).isEmpty();
  }

  @Test
  void olderKernelsAreToldFromNewerOnes() throws VfioException {
    FakeHost files = new FakeHost(root.resolve("old")).withoutCdev().device("0000:00:05.0");
    files.group(7, "0000:00:05.0").driver("0000:00:05.0", "vfio-pci");
    Host host = new Host(machine.kernel, files.sysfs());

    assertThatThrownBy(() -> IommuSurvey.of(host, files.sysfs().device(FakeMachine.ADDRESS)))
        .isInstanceOf(UnsupportedByKernelException.class)
        .hasMessageContaining("Linux 6.6 ");
  }
}
