package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {

  private static final String EDU = "0000:00:05.0";

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
}
