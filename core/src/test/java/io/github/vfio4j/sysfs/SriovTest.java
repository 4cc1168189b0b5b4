package io.github.vfio4j.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Virtual functions: made, ended, and with what. */
class SriovTest {
  private static final String NIC = "0000:00:06.0";
  private static final String FIRST = "0000:00:1a.0";
  private static final PciAddress ADDRESS = PciAddress.of(NIC);

  @TempDir Path root;
  private FakeHost host;
  private Sysfs sysfs;

  @BeforeEach
  void plugIn() {
    host =
        new FakeHost(root)
            .module("vfio-pci")
            .device(NIC)
            .group(6, NIC)
            .driver(NIC, "vfio-pci")
            .sriov(NIC, 4);
    sysfs = host.sysfs();
  }

  private Sriov sriov() throws VfioException {
    return Sriov.of(sysfs, sysfs.device(ADDRESS)).orElseThrow();
  }

  private <E extends VfioException> E refused(Class<E> type, int number) throws VfioException {
    E failure = catchThrowableOfType(type, () -> sriov().create(number));
    assertThat(failure.object()).isEqualTo(NIC);
    return failure;
  }

  /** Shows a process that has a device open. */
  private void holdOpen(String address) throws VfioException {
    host.attribute(address, "enable", "1")
        .file("proc/812/comm", "qemu")
        .link(
            "proc/812/fd/9",
            "/dev/vfio/devices/"
                + sysfs.device(PciAddress.of(address)).cdev().orElseThrow().name());
  }

  @Test
  void areMadeAndEnded() throws VfioException {
    assertThat(sriov().limit()).isEqualTo(4);
    assertThat(sriov().functions()).isEmpty();

    assertThat(sriov().create(3))
        .extracting(PciDevice::name)
        .containsExactly(FIRST, "0000:00:1a.1", "0000:00:1a.2");
    assertThat(sriov().functions()).hasSize(3).allMatch(PciDevice::hasVfioDriver);

    assertThat(sriov().destroy()).hasSize(3);
    assertThat(sriov().functions()).isEmpty();
    assertThat(sriov().destroy()).isEmpty();
  }

  @Test
  void aFunctionWithoutSriovHasNone() throws VfioException {
    host.device("0000:00:05.0");
    assertThat(Sriov.of(sysfs, sysfs.device(PciAddress.of("00:05.0")))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 5})
  void aNumberThatCannotBeIsRefused(int number) throws VfioException {
    Sriov sriov = sriov();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> sriov.create(number))
        .withMessageContaining("1 to 4");
    assertThat(host.writes()).isEmpty();
  }

  @Test
  void thereAreNoneBesideOthers() throws VfioException {
    sriov().create(1);
    assertThat(refused(DeviceBusyException.class, 2)).hasMessageContaining(FIRST);
    assertThat(sriov().functions()).hasSize(1);
  }

  @Test
  void driversMakeThem() throws IOException {
    host.file("sys/module/vfio_pci/parameters/enable_sriov", "N");
    assertThat(refused(UnsupportedByKernelException.class, 1)).hasMessageContaining("enable_sriov");
    host.file("sys/module/vfio_pci/parameters/enable_sriov", "Y")
        .refuse("sriov_numvfs", Errno.ENOENT);
    assertThat(refused(UnsupportedByKernelException.class, 1)).hasMessageContaining("makes none");
    host.accept("sriov_numvfs");
  }

  @Test
  void withoutADriverThereAreNone() throws VfioException {
    host.device("0000:00:05.0").sriov("0000:00:05.0", 1);
    Sriov sriov = Sriov.of(sysfs, sysfs.device(PciAddress.of("00:05.0"))).orElseThrow();
    assertThatExceptionOfType(DeviceNotBoundException.class).isThrownBy(() -> sriov.create(1));
  }

  @Test
  void fewerThanAskedForAreNone() throws VfioException {
    host.makeFewerFunctions(1);
    assertThat(refused(VfioException.class, 3)).hasMessageContaining("made 2 of 3");
    assertThat(sriov().functions()).isEmpty();
  }

  @Test
  void withoutNodesTheyAreNotKept() throws VfioException {
    host.withoutNodes();
    Sriov sriov = sriov();
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> sriov.create(2))
        .withMessageContaining("none is kept");
    assertThat(sriov.functions()).isEmpty();
  }

  @Test
  void oneThatIsOpenIsNotEnded() throws IOException {
    sriov().create(2);
    holdOpen(FIRST);

    assertThat(catchThrowableOfType(DeviceBusyException.class, () -> sriov().destroy()))
        .hasMessageContaining("process 812 (qemu) has its virtual function " + FIRST + " open");
    assertThat(
            catchThrowableOfType(
                DeviceBusyException.class, () -> DriverBinding.unbind(sysfs, ADDRESS)))
        .hasMessageContaining("its virtual function " + FIRST);
    assertThat(sriov().functions()).hasSize(2);
    assertThat(host.driverOf(NIC)).isEqualTo("vfio-pci");
  }

  private DriverBinding bindFromItsOwnDriver(String driver) throws VfioException {
    host.device("0000:00:05.0")
        .group(5, "0000:00:05.0")
        .driver("0000:00:05.0", driver)
        .sriov("0000:00:05.0", 2);
    PciDevice other = sysfs.device(PciAddress.of("00:05.0"));
    Sriov.of(sysfs, other).orElseThrow().create(2);
    return DriverBinding.bind(sysfs, other.address());
  }

  @Test
  void bindingTellsWhichHaveEnded() throws VfioException {
    try (DriverBinding binding = bindFromItsOwnDriver("igb")) {
      assertThat(binding.endedFunctions())
          .containsExactly(PciAddress.of(FIRST), PciAddress.of("0000:00:1a.1"));
    }
  }

  @Test
  void givingBackTellsWhichHaveEndedToo() throws VfioException {
    DriverBinding binding = bindFromItsOwnDriver("igb");
    List<PciAddress> before = binding.endedFunctions();
    PciDevice other = sysfs.device(PciAddress.of("00:05.0"));
    Sriov.of(sysfs, other).orElseThrow().create(1);

    binding.close();

    List<PciAddress> all = new ArrayList<>(before);
    all.add(PciAddress.of(FIRST));
    assertThat(binding.endedFunctions()).isEqualTo(all);
    binding.close();
    assertThat(binding.endedFunctions()).isEqualTo(all);
  }

  @Test
  void givingBackThatFailsTellsWhichHaveEndedToo() throws VfioException {
    DriverBinding binding = bindFromItsOwnDriver("igb");
    PciDevice other = sysfs.device(PciAddress.of("00:05.0"));
    Sriov.of(sysfs, other).orElseThrow().create(1);
    host.refuse("bind", Errno.EIO);

    assertThat(catchThrowableOfType(VfioException.class, binding::restore)).isNotNull();

    assertThat(binding.endedFunctions()).hasSize(3);
    host.accept("bind");
    binding.restore();
    assertThat(binding.endedFunctions()).hasSize(3);
    assertThat(host.driverOf("0000:00:05.0")).isEqualTo("igb");
  }

  @Test
  void unbindingTellsWhichHaveEnded() throws VfioException {
    bindFromItsOwnDriver("igb");
    PciDevice other = sysfs.device(PciAddress.of("00:05.0"));
    Sriov.of(sysfs, other).orElseThrow().create(2);

    GivenBack given = DriverBinding.unbind(sysfs, other.address());

    assertThat(given.endedFunctions())
        .containsExactly(PciAddress.of(FIRST), PciAddress.of("0000:00:1a.1"));
    assertThat(given.device().driver()).contains("igb");
  }

  @Test
  void bindingThatFailsTellsWhichHaveEnded() {
    host.withoutNodes();
    VfioException failure =
        catchThrowableOfType(VfioException.class, () -> bindFromItsOwnDriver("igb"));

    assertThat(host.driverOf("0000:00:05.0")).isEqualTo("igb");
    assertThat(failure.getSuppressed())
        .singleElement()
        .asString()
        .contains("virtual functions have ended")
        .contains(FIRST);
  }
}
