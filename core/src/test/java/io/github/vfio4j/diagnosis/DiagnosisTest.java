package io.github.vfio4j.diagnosis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.diagnosis.Finding.Status;
import io.github.vfio4j.opening.HostFiles;
import io.github.vfio4j.opening.HostFiles.Attempt;
import io.github.vfio4j.sysfs.FakeHost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiagnosisTest {

  private static final String EDU = "0000:00:05.0";
  private static final String NEIGHBOUR = "0000:00:05.1";
  private static final String CONFIG =
      """
      CONFIG_INTEL_IOMMU=y
      CONFIG_VFIO=y
      CONFIG_VFIO_PCI=m
      CONFIG_VFIO_IOMMU_TYPE1=m
      CONFIG_IOMMUFD=y
      CONFIG_VFIO_DEVICE_CDEV=y
      """;

  @TempDir Path root;
  private FakeHost host;
  private final Set<Path> forbidden = new HashSet<>();

  /** An Intel machine on which one device is ready to be opened in both ways. */
  @BeforeEach
  void startWithEverythingRight() {
    host = new FakeHost(root).module("vfio-pci").device(EDU).group(5, EDU).driver(EDU, "vfio-pci");
    host.file("proc/cpuinfo", "vendor_id\t: GenuineIntel")
        .file("proc/cmdline", "ro intel_iommu=on quiet")
        .file("proc/interrupts", " 1:  7  IR-IO-APIC  1-edge  i8042")
        .file("proc/sys/kernel/osrelease", "7.3.4")
        .file("proc/self/limits", "Max locked memory         unlimited  unlimited  bytes")
        .file("boot/config-7.3.4", CONFIG)
        .misc("iommu", "dev/iommu", 124)
        .misc("vfio", "dev/vfio/vfio", 196)
        .directory("sys/class/iommu/dmar0")
        .directory("sys/module");
  }

  private Diagnosis diagnose() throws VfioException {
    var sysfs = host.sysfs();
    return Diagnosis.of(new HostFiles(sysfs, this::attempt), sysfs.device(EDU));
  }

  private Attempt attempt(Path node) {
    if (forbidden.contains(node)) {
      return Attempt.REFUSED;
    }
    return Files.exists(node) ? Attempt.OPENED : Attempt.MISSING;
  }

  private Finding find(String check) throws VfioException {
    return diagnose().findings().stream()
        .filter(finding -> finding.check().startsWith(check))
        .findFirst()
        .orElseThrow();
  }

  private void assertFinding(String check, Status status, String seen, String fix)
      throws VfioException {
    Finding finding = find(check);
    assertThat(finding.status()).as(finding.toString()).isEqualTo(status);
    assertThat(finding.seen()).contains(seen);
    assertThat(finding.fix().orElse("")).contains(fix);
    assertThat(finding.fix().isPresent())
        .isEqualTo(status == Status.FAILED || status == Status.WARNING);
    assertThat(diagnose().isReady()).isEqualTo(status != Status.FAILED);
  }

  private FakeHost without(String path) throws IOException {
    Files.delete(root.resolve(path));
    return host;
  }

  @Test
  void aMachineOnWhichAllIsRightHasNothingToFix() throws VfioException {
    assertThat(diagnose().findings())
        .allSatisfy(finding -> assertThat(finding.status()).isEqualTo(Status.OK))
        .extracting(Finding::check)
        .containsExactly(
            "kernel options",
            "vfio-pci driver",
            "iommufd",
            "legacy container",
            "IOMMU",
            "isolated MSI",
            "locked memory",
            "driver",
            "IOMMU group",
            "device node",
            "group node",
            "open by cdev+iommufd",
            "open by container/group");
    assertThat(diagnose().isReady()).isTrue();
    assertThat(diagnose().way()).contains(Backend.IOMMUFD);
  }

  @Test
  void theHostAloneCanBeChecked() throws VfioException {
    assertThat(Diagnosis.of(host.sysfs()).findings())
        .extracting(Finding::check)
        .contains("IOMMU", "locked memory")
        .doesNotContain("device node");
  }

  /** What opens in spite of a check is believed before the check. */
  @Test
  void aDeviceThatOpensMakesAFailureAWarning() throws VfioException {
    host.file("boot/config-7.3.4", CONFIG.replace("VFIO_PCI=m", "VFIO_PCI=n"));
    assertFinding("kernel options", Status.WARNING, "lacks CONFIG_VFIO_PCI", "built with");
  }

  private void noInterface() throws IOException {
    without("dev/iommu");
    without("dev/vfio/vfio");
  }

  @Test
  void anOptionThatIsMissingIsNamedWithItsSource() throws IOException {
    noInterface();
    host.file("boot/config-7.3.4", CONFIG.replace("VFIO_PCI=m", "VFIO_PCI=n"));
    assertFinding(
        "kernel options", Status.FAILED, "/boot/config-7.3.4 lacks CONFIG_VFIO_PCI", "built with");
    host.file("boot/config-7.3.4", CONFIG.replace("CONFIG_INTEL_IOMMU=y", ""));
    assertFinding("kernel options", Status.FAILED, "CONFIG_INTEL_IOMMU", "CONFIG_INTEL_IOMMU");
  }

  @Test
  void aKernelForOneInterfaceIsEnough() throws IOException {
    String legacy = CONFIG.replace("CONFIG_VFIO_DEVICE_CDEV=y", "");
    host.file("boot/config-7.3.4", legacy);
    assertFinding("kernel options", Status.WARNING, "legacy VFIO only", "CONFIG_VFIO_DEVICE_CDEV");
    noInterface();
    host.file("boot/config-7.3.4", legacy.replace("CONFIG_VFIO_IOMMU_TYPE1=m", ""));
    assertFinding("kernel options", Status.FAILED, "nor CONFIG_VFIO_IOMMU_TYPE1", "built with");
  }

  @Test
  void theRunningKernelsOwnConfigurationIsBelievedFirst() throws IOException {
    noInterface();
    try (var zipped = new GZIPOutputStream(Files.newOutputStream(root.resolve("proc/config.gz")))) {
      zipped.write("CONFIG_VFIO=y\n".getBytes(StandardCharsets.UTF_8));
    }
    assertFinding(
        "kernel options",
        Status.FAILED,
        "/proc/config.gz lacks CONFIG_VFIO_PCI",
        "CONFIG_VFIO_PCI");
  }

  @Test
  void anUnknownConfigurationIsNoFailure() throws IOException {
    without("boot/config-7.3.4");
    assertFinding("kernel options", Status.SKIPPED, "/boot/config-7.3.4", "");
  }

  @Test
  void aDriverThatIsNotLoadedIsNamed(@TempDir Path bare) throws VfioException {
    Finding finding = Diagnosis.of(new FakeHost(bare).sysfs()).findings().get(1);
    assertThat(finding.status()).isEqualTo(Status.FAILED);
    assertThat(finding.fix()).contains("modprobe vfio-pci");
  }

  @Test
  void oneMissingInterfaceIsAWarningAndBothAreAFailure() throws IOException {
    without("sys/class/misc/iommu/dev");
    assertFinding("iommufd", Status.WARNING, "made none", "CONFIG_IOMMUFD");
    without("sys/class/misc/vfio/dev");
    assertFinding("iommufd", Status.FAILED, "made none", "modprobe iommufd");
    assertFinding("legacy container", Status.FAILED, "made none", "modprobe vfio_iommu_type1");
  }

  @Test
  void aNodeThatThisEnvironmentLacksIsNotTheKernelsFault() throws IOException {
    without("dev/iommu");
    assertFinding("iommufd", Status.WARNING, "dev/iommu, though the kernel", "passed in");
    without("dev/vfio/vfio");
    assertFinding("legacy container", Status.FAILED, "dev/vfio/vfio, though", "passed in");
  }

  @Test
  void aNodeOfAnotherDeviceIsNotCalledOpen() throws VfioException {
    host.node("dev/iommu", 1, 3);
    assertFinding("iommufd", Status.WARNING, "another device's node", "make it again");
  }

  @Test
  void rootIsNotToldToBecomeRoot() throws VfioException {
    host.file("proc/self/status", "Name:\tjava\nUid:\t0\t0\t0\t0");
    forbidden.add(root.resolve("dev/iommu"));
    assertFinding("iommufd", Status.WARNING, "not even root may open", "container");
    host.link("sys/kernel/iommu_groups/5/devices/dma.0", "../../../../devices/dma.0")
        .link("sys/devices/dma.0/driver", "../../bus/platform/drivers/dma");
    assertThat(diagnose().findings())
        .flatExtracting(finding -> finding.fix().stream().toList())
        .anyMatch(fix -> fix.startsWith("echo dma.0 > "))
        .noneMatch(fix -> fix.contains("sudo"));
  }

  @Test
  void aNodeThatThisUserMayNotOpenIsNamed() throws VfioException {
    forbidden.add(root.resolve("dev/iommu"));
    assertFinding("iommufd", Status.WARNING, "may not open", "chown");
    forbidden.clear();
    forbidden.add(root.resolve("dev/vfio/5"));
    assertFinding("group node", Status.WARNING, "may not open", "dev/vfio/5");
    forbidden.add(root.resolve("dev/vfio/devices/vfio0"));
    assertFinding("device node", Status.FAILED, "may not open", "dev/vfio/devices/vfio0");
  }

  @ParameterizedTest
  @CsvSource({
    "GenuineIntel, DMAR, intel_iommu=on",
    "AuthenticAMD, IVRS, AMD-Vi",
    "CPU implementer, IORT, SMMU"
  })
  void withoutGroupsTheFixFitsTheProcessor(String cpuinfo, String table, String fix)
      throws IOException {
    noGroups();
    host.file("proc/cpuinfo", cpuinfo).directory("sys/firmware/acpi/tables");
    assertFinding("IOMMU", Status.FAILED, "no table " + table, fix);
    host.file("sys/firmware/acpi/tables/" + table, "");
    assertFinding("IOMMU", Status.FAILED, "though the firmware announces an IOMMU", fix);
    assertThat(find("isolated MSI").status()).isEqualTo(Status.SKIPPED);
  }

  private void noGroups() throws IOException {
    try (var files = Files.walk(root.resolve("sys/kernel/iommu_groups"))) {
      for (Path file : files.toList().reversed()) {
        Files.delete(file);
      }
    }
    without("sys/devices/pci0000:00/" + EDU + "/iommu_group");
    host.file("proc/interrupts", "");
  }

  @Test
  void anIommuThatTheCommandLineTurnsOffIsNamed() throws IOException {
    noGroups();
    host.file("proc/cmdline", "ro intel_iommu=off");
    assertFinding("IOMMU", Status.FAILED, "intel_iommu=off", "intel_iommu=on");
  }

  @Test
  void theModeWithoutAnIommuIsNotReady() throws IOException {
    noGroups();
    host.file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
    assertThat(find("IOMMU").status()).isEqualTo(Status.FAILED);
    assertThat(find("IOMMU").seen()).contains("all of the host's memory");
    assertThat(Diagnosis.of(host.sysfs()).isReady()).isFalse();
    assertThat(find("IOMMU group").seen()).contains("no-IOMMU mode");
    assertFinding("open by cdev+iommufd", Status.FAILED, "no IOMMU guards", "turn the IOMMU on");
  }

  @Test
  void interruptsThatAreNotRemappedFail() throws VfioException {
    host.file("proc/interrupts", " 1:  7  IO-APIC  1-edge  i8042");
    assertFinding("isolated MSI", Status.FAILED, "EPERM", "interrupt remapping");
    host.file("sys/module/iommufd/parameters/allow_unsafe_interrupts", "N");
    assertFinding("isolated MSI", Status.FAILED, "EPERM", "interrupt remapping");
    host.file("sys/module/iommufd/parameters/allow_unsafe_interrupts", "Y");
    assertFinding("isolated MSI", Status.WARNING, "forge", "interrupt remapping");
  }

  @Test
  void anArmMachineShowsItsInterruptService() throws VfioException {
    host.file("proc/cpuinfo", "CPU implementer : 0x41")
        .file("boot/config-7.3.4", CONFIG + "CONFIG_ARM_SMMU_V3=y")
        .file("proc/interrupts", "20: 3 ITS-PCI-MSI-0000:00:01.0 0 Edge");
    assertFinding("isolated MSI", Status.OK, "ITS", "");
    host.file("proc/interrupts", "20: 3 GICv2m 0 Edge");
    assertFinding("isolated MSI", Status.SKIPPED, "EPERM", "");
  }

  @ParameterizedTest
  @CsvSource({
    "unlimited, OK, no limit",
    "67108864, OK, 65536 KiB",
    "8388608, WARNING, 8192 KiB",
    "0, WARNING, 0 KiB"
  })
  void theLimitOfLockedMemoryIsTold(String limit, Status status, String seen) throws VfioException {
    host.file("proc/self/limits", "Max locked memory         " + limit + "   unlimited   bytes");
    assertFinding("locked memory", status, seen, "");
  }

  @Test
  void whoMayLockMemoryHasNoLimit() throws VfioException {
    host.file("proc/self/limits", "Max locked memory         0   0   bytes")
        .file("proc/self/status", "Name:\tjava\nCapEff:\t0000000000004000");
    assertFinding("locked memory", Status.OK, "CAP_IPC_LOCK", "");
    host.file("proc/self/uid_map", "         0          0 4294967295");
    assertFinding("locked memory", Status.OK, "CAP_IPC_LOCK", "");
    host.file("proc/self/uid_map", "         0       1000          1");
    assertFinding("locked memory", Status.WARNING, "0 KiB", "ulimit -l");
    host.file("proc/self/uid_map", "         0          0 4294967295");
    host.file("proc/self/status", "CapEff:\t000001ffffffbfff");
    assertFinding("locked memory", Status.WARNING, "0 KiB", "ulimit -l");
  }

  @Test
  void aDeviceUnderItsOwnDriverOrNoneMustBeBound() throws IOException {
    without("sys/devices/pci0000:00/" + EDU + "/driver");
    without("sys/devices/pci0000:00/" + EDU + "/vfio-dev/vfio0/dev");
    assertFinding("driver", Status.FAILED, "none", "vfio4j bind " + EDU);
    host.driver(EDU, "nvme");
    assertFinding("driver", Status.FAILED, "nvme", "vfio4j bind " + EDU);
    assertThat(find("IOMMU group").status()).isEqualTo(Status.OK);
    assertThat(find("device node").status()).isEqualTo(Status.SKIPPED);
  }

  @Test
  void aBridgeIsNeverTaken() throws VfioException {
    host.attribute(EDU, "class", "0x060400");
    assertFinding("driver", Status.FAILED, "bridge", "behind it");
  }

  @Test
  void theNeighbourThatKeepsTheGroupIsNamed() throws VfioException {
    host.device(NEIGHBOUR).driver(NEIGHBOUR, "xhci_hcd").group(5, NEIGHBOUR);
    assertFinding(
        "IOMMU group", Status.FAILED, NEIGHBOUR + " (xhci_hcd)", "vfio4j bind " + NEIGHBOUR);
  }

  @Test
  void aNeighbourWithoutADriverIsNotInTheWay() throws VfioException {
    host.device(NEIGHBOUR).group(5, NEIGHBOUR);
    assertFinding("IOMMU group", Status.OK, "no neighbour in the way", "");
  }

  @Test
  void aDeviceWithoutAGroupNeedsAnIommu() throws IOException {
    without("sys/devices/pci0000:00/" + EDU + "/vfio-dev/vfio0/dev");
    without("sys/devices/pci0000:00/" + EDU + "/iommu_group");
    assertFinding("IOMMU group", Status.FAILED, "no IOMMU guards", "turn the IOMMU on");
  }

  @Test
  void aGroupMadeWithoutAnIommuIsNotReady() throws IOException {
    host.file("sys/kernel/iommu_groups/5/name", "vfio-noiommu")
        .file("sys/class/vfio/noiommu-5/dev", "244:0")
        .node("dev/vfio/noiommu-5", 244, 0);
    assertThat(find("IOMMU group").status()).isEqualTo(Status.FAILED);
    assertThat(find("group node").seen()).contains("noiommu-5");
    assertThat(diagnose().isReady()).isFalse();
  }

  @Test
  void aMediatedDeviceNeedsNoIommu() throws IOException {
    String uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
    String mtty = "sys/devices/virtual/mtty/mtty/";
    noGroups();
    host.directory(mtty + uuid)
        .link("sys/bus/mdev/devices/" + uuid, root.resolve(mtty + uuid).toString())
        .link(mtty + uuid + "/driver", "../../../../../bus/mdev/drivers/mtty")
        .link(mtty + uuid + "/iommu_group", "../../../../../kernel/iommu_groups/9")
        .file("sys/kernel/iommu_groups/9/name", "vfio-noiommu")
        .file(mtty + uuid + "/vfio-dev/vfio3/dev", "511:3")
        .link("sys/dev/char/511:3", root.resolve(mtty + uuid + "/vfio-dev/vfio3").toString())
        .node("dev/vfio/devices/vfio3", 511, 3);
    var sysfs = host.sysfs();
    Diagnosis diagnosis = Diagnosis.of(sysfs, sysfs.device(uuid));
    assertThat(diagnosis.findings())
        .filteredOn(finding -> finding.check().equals("IOMMU group"))
        .singleElement()
        .satisfies(finding -> assertThat(finding.status()).isEqualTo(Status.OK))
        .satisfies(finding -> assertThat(finding.seen()).contains("driver of mtty"));
    assertThat(diagnosis.findings())
        .filteredOn(finding -> finding.check().equals("IOMMU"))
        .singleElement()
        .satisfies(finding -> assertThat(finding.status()).isEqualTo(Status.WARNING));
    assertThat(diagnosis.way()).contains(Backend.IOMMUFD);
  }

  @Test
  void aKernelWithoutDeviceNodesIsAWarning() throws IOException {
    without("sys/devices/pci0000:00/" + EDU + "/vfio-dev/vfio0/dev");
    assertFinding("device node", Status.WARNING, "made none", "CONFIG_VFIO_DEVICE_CDEV");
  }
}
