package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.VfToken;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Who may open the functions of an SR-IOV device that user programs have. The first three tests are
 * the 45 cases of the kernel's {@code vfio_pci_sriov_uapi_test.c}, under its names.
 */
@OnMachine({"intel/legacy", "smmuv3"}) // the IOMMU does not matter
@Bound(Device.IGB)
class VfTokenTest {
  private static final UUID ONE = UUID.fromString("52ac9bff-3a88-4fbd-901a-0d767c3b6c97");
  private static final UUID TWO = UUID.fromString("88594674-90a0-47a9-aea8-9d9b352ac08a");

  private static VirtualFunction virtual;

  /** What the kernel's test calls modes of the IOMMU. */
  enum Mode {
    VFIO_TYPE1,
    VFIO_TYPE1V2,
    IOMMUFD_COMPAT_TYPE1,
    IOMMUFD_COMPAT_TYPE1V2,
    IOMMUFD;

    boolean takesTokens() {
      return switch (this) {
        case VFIO_TYPE1, VFIO_TYPE1V2 -> true;
        case IOMMUFD_COMPAT_TYPE1, IOMMUFD_COMPAT_TYPE1V2 -> Machine.hasCdev();
        case IOMMUFD -> Machine.kernelIsSince("6.17");
      };
    }

    OpenSpace open() throws VfioException {
      return switch (this) {
        case VFIO_TYPE1 -> of(Container.open(Container.Type.TYPE1));
        case VFIO_TYPE1V2 -> of(Container.open(Container.Type.TYPE1V2));
        case IOMMUFD_COMPAT_TYPE1 -> compatible(Container.Type.TYPE1);
        case IOMMUFD_COMPAT_TYPE1V2 -> compatible(Container.Type.TYPE1V2);
        case IOMMUFD -> OpenSpace.on(Backend.IOMMUFD);
      };
    }

    private static OpenSpace of(Container container) {
      return new OpenSpace(container, container::close);
    }

    private static OpenSpace compatible(Container.Type type) throws VfioException {
      Iommufd iommufd = Iommufd.open();
      return new OpenSpace(Container.open(iommufd, type), iommufd::close);
    }
  }

  /** Which token the virtual function is opened with. */
  enum Given {
    SAME_UUID(Optional.of(ONE)),
    DIFF_UUID(Optional.of(TWO)),
    NULL_UUID(Optional.empty());

    private final Optional<UUID> token;

    Given(Optional<UUID> token) {
      this.token = token;
    }

    HostDevice virtual() {
      return token.isPresent() ? virtual.device().withVfToken(token.get()) : virtual.device();
    }
  }

  @BeforeAll
  static void makeVirtualFunction() throws VfioException {
    virtual = VirtualFunction.of(Machine.IGB);
  }

  @AfterAll
  static void endVirtualFunction() throws VfioException {
    virtual.close();
  }

  private static Stream<Mode> modes() {
    return Stream.of(Mode.values()).filter(Mode::takesTokens);
  }

  static Stream<Arguments> cases() {
    return modes().flatMap(mode -> Stream.of(Given.values()).map(given -> arguments(mode, given)));
  }

  private static VfioDevice openPhysical(IoAddressSpace space) throws VfioException {
    return VfioDevice.open(virtual.physical().withVfToken(ONE), space);
  }

  private static void assertOpens(Given given, UUID right, IoAddressSpace space)
      throws VfioException {
    if (given.token.equals(Optional.of(right))) {
      try (VfioDevice opened = VfioDevice.open(given.virtual(), space)) {
        assertThat(opened.pci().config().vendorId()).isEqualTo(0x8086);
      }
    } else {
      assertRefused(given.virtual(), space);
    }
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

  @ParameterizedTest
  @MethodSource("cases")
  void init_token_match(Mode mode, Given given) throws VfioException {
    try (OpenSpace open = mode.open();
        VfioDevice _ = openPhysical(open.space())) {
      assertOpens(given, ONE, open.space());
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void pf_early_close(Mode mode, Given given) throws VfioException {
    try (OpenSpace open = mode.open()) {
      openPhysical(open.space()).close();
      assertOpens(given, ONE, open.space());
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void override_token(Mode mode, Given given) throws VfioException {
    try (OpenSpace open = mode.open();
        VfioDevice physical = openPhysical(open.space())) {
      VfToken.set(physical, TWO);
      assertOpens(given, TWO, open.space());
    }
  }

  /** As long as a virtual function is open, its token opens the physical one, too. */
  @ParameterizedTest
  @MethodSource("modes")
  void whoUsesAVirtualFunctionVouchesForThePhysicalOne(Mode mode) throws VfioException {
    try (OpenSpace open = mode.open()) {
      openPhysical(open.space()).close();
      try (VfioDevice _ = VfioDevice.open(Given.SAME_UUID.virtual(), open.space())) {
        assertRefused(virtual.physical(), open.space());
        assertRefused(virtual.physical().withVfToken(TWO), open.space());
        openPhysical(open.space()).close();
      }
      VfioDevice.open(virtual.physical().withVfToken(TWO), open.space()).close();
      VfioDevice.open(virtual.physical(), open.space()).close();
      assertOpens(Given.DIFF_UUID, TWO, open.space());
    }
  }

  /** Neither a reset nor another token ends what is open; and they are closed in any order. */
  @ParameterizedTest
  @MethodSource("modes")
  void whatIsOpenStaysSo(Mode mode) throws VfioException {
    for (boolean physicalFirst : new boolean[] {true, false}) {
      try (OpenSpace open = mode.open()) {
        VfioDevice physical = openPhysical(open.space());
        VfioDevice function = VfioDevice.open(Given.SAME_UUID.virtual(), open.space());
        int id = function.pci().config().deviceId();
        VfToken.set(physical, TWO);
        function.reset();
        assertThat(function.pci().config().deviceId()).isEqualTo(id);
        (physicalFirst ? physical : function).close();
        (physicalFirst ? function : physical).close();
        assertRefused(Given.SAME_UUID.virtual(), open.space());
        assertOpens(Given.DIFF_UUID, TWO, open.space());
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
    HostDevice right = Given.SAME_UUID.virtual();
    if (Mode.IOMMUFD.takesTokens()) {
      VfioDevice.open(right, Backend.IOMMUFD).close();
    } else {
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> VfioDevice.open(right, Backend.IOMMUFD))
          .withMessageContaining("through its group");
    }
    try (VfioDevice device = VfioDevice.open(right)) {
      assertThat(device.choice().backend())
          .isEqualTo(Mode.IOMMUFD.takesTokens() ? Backend.IOMMUFD : Backend.CONTAINER);
    }
  }
}
