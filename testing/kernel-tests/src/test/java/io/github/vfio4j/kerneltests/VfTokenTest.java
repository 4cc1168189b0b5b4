package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.kerneltests.selftests.Counterpart;
import io.github.vfio4j.kerneltests.selftests.Counterparts;
import io.github.vfio4j.kerneltests.selftests.IommuMode;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.VfToken;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Who may open the functions of an SR-IOV device that user programs have. */
@OnMachine({"intel/legacy", "smmuv3", "amd"}) // the IOMMU does not matter
@Bound(Device.IGB)
class VfTokenTest {
  private static final UUID ONE = UUID.fromString("52ac9bff-3a88-4fbd-901a-0d767c3b6c97");
  private static final UUID TWO = UUID.fromString("88594674-90a0-47a9-aea8-9d9b352ac08a");

  private static VirtualFunction virtual;

  @BeforeAll
  static void makeVirtualFunction() throws VfioException {
    virtual = VirtualFunction.of(Machine.IGB);
  }

  @AfterAll
  static void endVirtualFunction() throws VfioException {
    virtual.close();
  }

  private static Stream<IommuMode> modes() {
    return Stream.of(IommuMode.values()).filter(IommuMode::takesTokens);
  }

  private static Stream<Counterpart> kernelsCases()
      throws IOException, ReflectiveOperationException {
    return Counterparts.of("vfio_pci_sriov_uapi_test").stream()
        .filter(counterpart -> counterpart.mode().takesTokens());
  }

  private static VfioDevice openPhysical(IoAddressSpace space) throws VfioException {
    return VfioDevice.open(virtual.physical().withVfToken(ONE), space);
  }

  private static HostDevice virtual(UUID token) {
    return virtual.device().withVfToken(token);
  }

  private static void assertRefused(HostDevice device, IoAddressSpace space) {
    assertThatExceptionOfType(NotPermittedException.class)
        .isThrownBy(() -> VfioDevice.open(device, space))
        .withMessageContaining("VF token")
        .satisfies(refused -> assertThat(refused.errno()).contains(Errno.EACCES))
        .satisfies(
            refused ->
                assertThat(refused.getMessage())
                    .doesNotContain(ONE.toString())
                    .doesNotContain(TWO.toString()));
  }

  /** The 45 cases of the kernel's {@code vfio_pci_sriov_uapi_test.c}, under its names. */
  @ParameterizedTest
  @MethodSource("kernelsCases")
  void tokensAreWhatTheKernelsOwnTestSays(Counterpart counterpart) throws Throwable {
    counterpart.run(List.of(Machine.IGB, virtual.device().address()));
  }

  /** As long as a virtual function is open, its token opens the physical one, too. */
  @ParameterizedTest
  @MethodSource("modes")
  void whoUsesAVirtualFunctionVouchesForThePhysicalOne(IommuMode mode) throws VfioException {
    try (IommuMode.Space open = mode.space()) {
      openPhysical(open.space()).close();
      try (VfioDevice _ = VfioDevice.open(virtual(ONE), open.space())) {
        assertRefused(virtual.physical(), open.space());
        assertRefused(virtual.physical().withVfToken(TWO), open.space());
        openPhysical(open.space()).close();
      }
      VfioDevice.open(virtual.physical().withVfToken(TWO), open.space()).close();
      VfioDevice.open(virtual.physical(), open.space()).close();
      VfioDevice.open(virtual(TWO), open.space()).close();
    }
  }

  /** Neither a reset nor another token ends what is open; and they are closed in any order. */
  @ParameterizedTest
  @MethodSource("modes")
  void whatIsOpenStaysSo(IommuMode mode) throws VfioException {
    for (boolean physicalFirst : new boolean[] {true, false}) {
      try (IommuMode.Space open = mode.space()) {
        VfioDevice physical = openPhysical(open.space());
        VfioDevice function = VfioDevice.open(virtual(ONE), open.space());
        int id = function.pci().config().deviceId();
        VfToken.set(physical, TWO);
        function.reset();
        assertThat(function.pci().config().deviceId()).isEqualTo(id);
        (physicalFirst ? physical : function).close();
        (physicalFirst ? function : physical).close();
        assertRefused(virtual(ONE), open.space());
        VfioDevice.open(virtual(TWO), open.space()).close();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Backend.class,
      names = {"IOMMUFD", "CONTAINER"})
  @Bound(Device.EDU)
  void whatTakesNoTokenIsRefusedWithOne(Backend backend) throws VfioException {
    if (Machine.backends().noneMatch(backend::equals)) {
      return;
    }
    PciDevice edu = Sysfs.host().device(Machine.EDU);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> VfioDevice.open(edu.withVfToken(ONE), backend).close())
        .withMessageContaining("it takes no VF token")
        .satisfies(refused -> assertThat(refused.errno()).contains(Errno.EINVAL));
    Verdict.assertTrueOf(edu.withVfToken(ONE), Optional.empty());
    try (VfioDevice device = VfioDevice.open(edu, backend)) {
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> VfToken.set(device, ONE))
          .withMessageContaining("no physical function");
    }
  }

  @Test
  @OnMachine(
      value = {"intel/legacy", "smmuv3"},
      since = "6.6")
  void kernelsThatTakeNoTokenOnADevicesNodeSaySo() throws VfioException {
    try (VfioDevice physical = VfioDevice.open(virtual.physical())) {
      VfToken.set(physical, ONE);
    }
    HostDevice right = virtual(ONE);
    if (IommuMode.IOMMUFD.takesTokens()) {
      VfioDevice.open(right, Backend.IOMMUFD).close();
    } else {
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> VfioDevice.open(right, Backend.IOMMUFD))
          .withMessageContaining("through its group");
    }
    try (VfioDevice device = VfioDevice.open(right)) {
      assertThat(device.choice().backend())
          .isEqualTo(IommuMode.IOMMUFD.takesTokens() ? Backend.IOMMUFD : Backend.CONTAINER);
    }
  }
}
