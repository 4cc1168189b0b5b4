package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.diagnosis.Finding;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {

  private static final String EDU = "0000:00:05.0";
  private static final String NIC = "0000:00:06.0";

  @TempDir Path root;

  private FakeHost readyHost() {
    return new FakeHost(root)
        .module("vfio-pci")
        .device(EDU)
        .group(5, EDU)
        .driver(EDU, "vfio-pci")
        .misc("iommu", "dev/iommu", 124)
        .misc("vfio", "dev/vfio/vfio", 196)
        .file("proc/interrupts", " 24:  0  IR-PCI-MSI edge")
        .file("proc/self/limits", "Max locked memory         unlimited   unlimited   bytes");
  }

  @Test
  void endsWell() {
    CommandRun run = CommandRun.of(readyHost().sysfs(), "doctor", EDU);

    assertThat(run.status()).isZero();
    assertThat(run.out()).doesNotContain("FAILED");
    assertThat(run.lines()).last().isEqualTo(EDU + " can be opened, by cdev+iommufd.");
  }

  @Test
  void endsWithStatus1AndNamesEveryFix() throws Exception {
    FakeHost host = new FakeHost(root).device(EDU);

    CommandRun run = CommandRun.of(host.sysfs(), "doctor", EDU);

    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).isEmpty();
    Diagnosis.of(host.sysfs(), host.sysfs().device(EDU)).findings().stream()
        .flatMap(finding -> finding.fix().stream())
        .forEach(fix -> assertThat(run.lines()).anyMatch(line -> line.endsWith("  fix: " + fix)));
    assertThat(run.lines()).last().asString().startsWith(EDU + " cannot be opened: ");
  }

  private static List<Finding> findings(FakeHost host, String device) throws Exception {
    return Diagnosis.of(host.sysfs(), host.sysfs().device(device)).findings();
  }

  private static boolean isFixedByACommand(Finding finding) {
    return finding.fix().filter(fix -> fix.startsWith("vfio4j ")).isPresent();
  }

  @Test
  void adviceNeverTakesTheSystemsDiskWithoutSayingSo() throws Exception {
    FakeHost host = readyHost().device(NIC).driver(NIC, "ahci").group(6, NIC);
    String disk = "sys/devices/pci0000:00/" + NIC + "/ata1/block/sda";
    host.file(disk + "/dev", "8:0")
        .link("sys/class/block/sda", root.resolve(disk).toString())
        .file("proc/self/mountinfo", "22 1 8:0 / / rw - ext4 /dev/root rw");

    assertThat(findings(host, NIC)).noneMatch(DoctorCommandTest::isFixedByACommand);
    for (String command : List.of("doctor", "show")) {
      assertThat(CommandRun.of(host.sysfs(), command, NIC).out())
          .contains("the running system would lose / (ext4 on sda)");
    }
  }

  @Test
  void oneOddByteInAFileBlindsNothing() throws Exception {
    FakeHost host = readyHost();
    byte[] odd = " 24:  0  IR-PCI-MSI  edge  q\u00c3\n".getBytes(StandardCharsets.ISO_8859_1);
    Files.write(root.resolve("proc/interrupts"), odd);

    assertThat(CommandRun.of(host.sysfs(), "doctor", EDU).lines())
        .anyMatch(line -> line.startsWith("ok") && line.contains("isolated MSI"));
  }

  @Test
  void printsJsonAndTheSameStatus() throws Exception {
    FakeHost host = new FakeHost(root).device(EDU);

    CommandRun run = CommandRun.of(host.sysfs(), "doctor", "--json");

    assertThat(run.status()).isEqualTo(1);
    assertThat(run.json()).containsEntry("ready", false);
    List<Map<String, Object>> findings = run.objects("findings");
    assertThat(findings).hasSameSizeAs(Diagnosis.of(host.sysfs()).findings());
    assertThat(findings)
        .filteredOn("check", "vfio-pci driver")
        .singleElement()
        .isEqualTo(
            Map.of(
                "check", "vfio-pci driver",
                "status", "failed",
                "seen", "not loaded",
                "fix", "modprobe vfio-pci"));
  }

  @Test
  void checksSeveralDevices() {
    FakeHost host = readyHost().device(NIC);
    String ready = CommandRun.of(host.sysfs(), "doctor", EDU).out();
    String unready = CommandRun.of(host.sysfs(), "doctor", NIC).out();

    CommandRun both = CommandRun.of(host.sysfs(), "doctor", EDU, NIC);
    assertThat(both.status()).isEqualTo(1);
    assertThat(both.out()).isEqualTo(ready + "\n" + unready);

    CommandRun json = CommandRun.of(host.sysfs(), "doctor", "--json", EDU, NIC);
    assertThat(json.objects("devices"))
        .containsExactly(
            CommandRun.of(host.sysfs(), "doctor", "--json", EDU).json(),
            CommandRun.of(host.sysfs(), "doctor", "--json", NIC).json());
  }

  @Test
  void aDeviceThatIsNotThereCountsBeforeOneThatIsNotReady() {
    FakeHost host = readyHost().device(NIC);

    CommandRun run = CommandRun.of(host.sysfs(), "doctor", NIC, "00:1f.1");

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.out()).isEqualTo(CommandRun.of(host.sysfs(), "doctor", NIC).out());
    assertThat(run.err()).contains("0000:00:1f.1").hasLineCount(1);
  }
}
