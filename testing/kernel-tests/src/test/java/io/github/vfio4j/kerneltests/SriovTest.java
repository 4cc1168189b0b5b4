package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.VfToken;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sriov;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Virtual functions of a physical one that vfio-pci has. */
@OnMachine({"intel/legacy", "smmuv3", "amd"}) // the IOMMU does not matter
@Bound(Device.IGB)
class SriovTest {
  private static final Path OPTION = Path.of("/sys/module/vfio_pci/parameters/enable_sriov");
  private static final UUID TOKEN = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");

  private static Sriov igb() throws VfioException {
    return Sriov.of(Sysfs.host(), Sysfs.host().device(Machine.IGB)).orElseThrow();
  }

  @Test
  void areMadeWhileThePhysicalOneIsOpenAndEnd() throws VfioException {
    Sriov igb = igb();
    assertThat(igb.functions()).isEmpty();
    try (VfioDevice physical = VfioDevice.open(Machine.IGB)) {
      VfToken.set(physical, TOKEN);
      List<PciDevice> functions = igb.create(2);
      try {
        assertThat(functions).hasSize(2).allMatch(PciDevice::hasVfioDriver);
        assertThat(igb.functions()).isEqualTo(functions);
        assertThat(functions.getFirst().deviceId()).isEqualTo(0x10ca);
        try (VfioDevice one = VfioDevice.open(functions.getFirst().withVfToken(TOKEN))) {
          assertThat(one.info().pci()).isTrue();
          assertThatExceptionOfType(DeviceBusyException.class)
              .isThrownBy(igb::destroy)
              .withMessageContaining("has its virtual function " + one.name() + " open");
        }
        assertThatExceptionOfType(DeviceBusyException.class)
            .isThrownBy(() -> igb.create(1))
            .withMessageContaining(functions.getLast().name());
      } finally {
        assertThat(igb.destroy()).hasSize(2);
      }
      assertThat(igb.functions()).isEmpty();
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> Sysfs.host().device(functions.getFirst().address()));
    }
  }

  @Test
  void asManyAsTheDeviceAllows() throws VfioException {
    Sriov igb = igb();
    assertThatIllegalArgumentException().isThrownBy(() -> igb.create(igb.limit() + 1));
    try {
      assertThat(igb.create(igb.limit())).hasSize(igb.limit());
    } finally {
      igb.destroy();
    }
  }

  @Test
  void withoutItsOptionTheDriverMakesNone() throws IOException {
    Files.writeString(OPTION, "N");
    try {
      assertThat(catchThrowableOfType(UnsupportedByKernelException.class, () -> igb().create(1)))
          .hasMessageContaining("enable_sriov");
    } finally {
      Files.writeString(OPTION, "Y");
    }
    assertThat(Sriov.of(Sysfs.host(), Sysfs.host().device(Machine.EDU))).isEmpty();
  }

  @Test
  void endWhenThePhysicalOneIsUnbound() throws VfioException {
    PciDevice function = igb().create(1).getFirst();
    try (VfioDevice physical = VfioDevice.open(Machine.IGB)) {
      VfToken.set(physical, TOKEN);
    }
    try (VfioDevice _ = VfioDevice.open(function.withVfToken(TOKEN))) {
      assertThatExceptionOfType(DeviceBusyException.class)
          .isThrownBy(() -> DriverBinding.unbind(Sysfs.host(), Machine.IGB))
          .withMessageContaining("virtual function " + function.name());
      assertThat(Sysfs.host().device(Machine.IGB).driver()).contains("vfio-pci");
    }
    assertThat(DriverBinding.unbind(Sysfs.host(), Machine.IGB).endedFunctions()).isNotEmpty();
    try {
      assertThat(igb().functions()).isEmpty();
    } finally {
      DriverBinding.bind(Sysfs.host(), Machine.IGB);
    }
  }
}
