package io.github.vfio4j.diagnosis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.entry.HostOpener;
import io.github.vfio4j.fake.FakeMachine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of a device is what opening it does, on hosts that the lab does not have. */
class HostTableTest {
  private static final String EDU = FakeMachine.ADDRESS.toString();
  private static final String DEVICE = "sys/devices/pci0000:00/" + EDU + "/";
  private static final String NEIGHBOUR = "0000:00:05.1";
  private static final byte[] ODD = "q\u00c3\u001b[31m\u00ff".getBytes(StandardCharsets.ISO_8859_1);

  @TempDir Path root;
  private FakeMachine machine;

  @BeforeEach
  void makeMachine() throws VfioException {
    machine = new FakeMachine(root);
    machine.files.module("vfio-pci").file("proc/interrupts", "24: 0 IR-PCI-MSI edge");
  }

  private void assertOpens(Optional<Backend> expected) throws VfioException {
    HostDevice device = machine.device();
    Diagnosis diagnosis = Diagnosis.of(machine.files.sysfs(), device);
    assertThat(diagnosis.way()).as("%s", diagnosis.findings()).isEqualTo(expected);
    assertThat(diagnosis.isReady()).isEqualTo(expected.isPresent());
    assertThat(opened(device)).isEqualTo(expected);
  }

  private Optional<Backend> opened(HostDevice device) {
    try (VfioDevice opened = new HostOpener(machine.host).open(device)) {
      return Optional.of(opened.choice().backend());
    } catch (VfioException refused) {
      return Optional.empty();
    }
  }

  private void driver(String driver) throws IOException {
    Files.delete(root.resolve(DEVICE + "driver"));
    machine.files.link(DEVICE + "driver", "../../../bus/pci/drivers/" + driver);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vfio-pci",
        "mlx5_vfio_pci",
        "hisi_acc_vfio_pci",
        "nvgrace-gpu-vfio-pci",
        "nvidia"
      })
  void whoeverOffersIt(String driver) throws IOException {
    driver(driver);
    assertOpens(Optional.of(Backend.IOMMUFD));
  }

  @Test
  void aDriverThatDoesNotOfferIt() throws IOException {
    driver("nvidia");
    Files.delete(root.resolve(DEVICE + "vfio-dev/vfio0/dev"));
    assertOpens(Optional.empty());
  }

  @ParameterizedTest
  @CsvSource({"true, IOMMUFD", "false,"})
  void aNeighbourWhoseDriverOffersIt(boolean offered, Backend expected) throws VfioException {
    machine.files.device(NEIGHBOUR).group(FakeMachine.GROUP, NEIGHBOUR).driver(NEIGHBOUR, "nvidia");
    if (offered) {
      machine.files.file("sys/devices/pci0000:00/" + NEIGHBOUR + "/vfio-dev/vfio9/dev", "511:9");
    }
    assertThat(Diagnosis.of(machine.files.sysfs(), machine.device()).way())
        .isEqualTo(Optional.ofNullable(expected));
  }

  @ParameterizedTest
  @ValueSource(strings = {"DMA", "DMA-FQ", "identity", "auto", "blocked", "hyper-dma"})
  void whateverTheTypeOfItsGroup(String type) throws VfioException {
    machine.files.file("sys/kernel/iommu_groups/" + FakeMachine.GROUP + "/type", type);
    assertOpens(Optional.of(Backend.IOMMUFD));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ivhd0",
        "smmu3.0x0000000009050000",
        "virtio-iommu0",
        "dart.382f00000",
        "s390-iommu.1"
      })
  void whateverItsIommuIsCalled(String unit) throws VfioException {
    machine.files.directory("sys/class/iommu/" + unit);
    assertOpens(Optional.of(Backend.IOMMUFD));
    assertThat(Diagnosis.of(machine.files.sysfs()).findings())
        .anyMatch(finding -> finding.seen().contains(unit));
  }

  @Test
  void whateverBytesOthersHaveWritten() throws IOException {
    machine.files.attribute(EDU, "enable", "1").link("proc/812/fd/9", "/dev/vfio/devices/vfio0");
    for (String file :
        new String[] {"proc/812/comm", "proc/interrupts", DEVICE + "driver_override"}) {
      Files.write(root.resolve(file), ODD);
    }
    assertThat(Diagnosis.of(machine.files.sysfs(), machine.device()).findings())
        .anyMatch(finding -> finding.seen().contains("process 812"));
    machine.files.attribute(EDU, "enable", "0");
    assertOpens(Optional.of(Backend.IOMMUFD));
  }

  @ParameterizedTest
  @CsvSource({
    "Y, Y, IOMMUFD",
    "Y, N, IOMMUFD",
    "N, Y, CONTAINER",
  })
  void whoeverAllowsUnsafeInterrupts(String iommufd, String container, Backend expected)
      throws VfioException {
    machine
        .files
        .file("proc/cpuinfo", "vendor_id : CentaurHauls")
        .file("proc/interrupts", "1: 7 IO-APIC 1-edge i8042")
        .file("sys/module/iommufd/parameters/allow_unsafe_interrupts", iommufd)
        .file("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", container);
    assertOpens(Optional.of(expected));
  }

  /** Where nothing can be read of the kernel's options, what can be tried decides. */
  @ParameterizedTest
  @ValueSource(strings = {"1: 7 IO-APIC 1-edge i8042", "1: 7 IR-IO-APIC 1-edge i8042", "1: 7 XIVE"})
  void aKernelWhoseOptionsNobodyCanRead(String interrupts) throws VfioException {
    machine.files.file("proc/cpuinfo", "GenuineIntel").file("proc/interrupts", interrupts);
    assertOpens(Optional.of(Backend.IOMMUFD));
  }
}
