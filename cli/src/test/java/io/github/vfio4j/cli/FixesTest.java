package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.diagnosis.Finding;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each fix that this command can carry out is carried out as it stands, and helps. That there are
 * no others than those of {@code BindAdvice} is a rule of the architecture.
 */
class FixesTest {
  private static final String NIC = "0000:00:06.0";
  private static final String NEIGHBOUR = "0000:00:06.1";
  private static final String OTHER = "0000:00:06.2";

  /** One of the commands in a line of advice, which ends with it or goes on after a semicolon. */
  private static final Pattern STEP =
      Pattern.compile("(vfio4j [^;]*|modprobe \\S+|echo \\S+ (?:>|\\| sudo tee) \\S+)(?=;|$)");

  @TempDir Path root;
  private FakeHost host;

  /** What BindAdvice tells apart. */
  enum Situation {
    WITHOUT_A_DRIVER,
    UNDER_A_DRIVER,
    WITH_NEIGHBOURS,
    WITH_NEIGHBOURS_OF_OTHER_KINDS,
    IN_USE,
    WITH_A_NEIGHBOUR_IN_USE,
    WITH_A_DRIVER_OF_ITS_OWN,
    WITH_A_DRIVER_THAT_IS_NOT_LOADED
  }

  private void arrange(Situation situation) {
    host =
        new FakeHost(root)
            .device(NIC)
            .device(NEIGHBOUR)
            .device(OTHER)
            .group(6, NIC, NEIGHBOUR, OTHER)
            .misc("iommu", "dev/iommu", 124)
            .misc("vfio", "dev/vfio/vfio", 196)
            .file("proc/cpuinfo", "vendor_id\t: GenuineIntel")
            .file("proc/interrupts", " 24:  0  IR-PCI-MSI edge")
            .file("proc/self/limits", "Max locked memory         unlimited   unlimited   bytes");
    switch (situation) {
      case WITHOUT_A_DRIVER -> {}
      case UNDER_A_DRIVER -> host.driver(NIC, "e1000e");
      case WITH_NEIGHBOURS -> host.driver(NEIGHBOUR, "nvme").driver(OTHER, "xhci_hcd");
      case WITH_NEIGHBOURS_OF_OTHER_KINDS ->
          host.driver(NEIGHBOUR, "shpchp")
              .attribute(NEIGHBOUR, "class", "0x060400")
              .driver(OTHER, "nvme")
              .link("sys/kernel/iommu_groups/6/devices/dma.0", "../../../../devices/dma.0")
              .link("sys/devices/dma.0/driver", "../../bus/platform/drivers/dma");
      case IN_USE -> mountADiskOf(NIC);
      case WITH_A_NEIGHBOUR_IN_USE -> {
        mountADiskOf(NEIGHBOUR);
        host.driver(OTHER, "nvme");
      }
      case WITH_A_DRIVER_OF_ITS_OWN ->
          host.module("mlx5_vfio_pci").attribute(NIC, "driver_override", "mlx5_vfio_pci");
      case WITH_A_DRIVER_THAT_IS_NOT_LOADED ->
          host.attribute(NIC, "driver_override", "mlx5_vfio_pci");
    }
  }

  private void mountADiskOf(String device) {
    String disk = "sys/devices/pci0000:00/" + device + "/ata1/block/sda";
    host.driver(device, "ahci")
        .file(disk + "/dev", "8:0")
        .link("sys/class/block/sda", root.resolve(disk).toString())
        .file("proc/self/mountinfo", "22 1 8:0 / / rw - ext4 /dev/root rw");
  }

  private List<Finding> findings() throws Exception {
    return Diagnosis.of(host.sysfs(), host.sysfs().device(NIC)).findings();
  }

  private static List<String> steps(String advice) {
    List<String> steps = new ArrayList<>();
    Matcher matcher = STEP.matcher(advice);
    while (matcher.find()) {
      steps.add(matcher.group(1).strip());
    }
    return steps;
  }

  private void carryOut(String step) throws Exception {
    List<String> words = Arrays.asList(step.split(" +", -1));
    switch (words.getFirst()) {
      case "vfio4j" -> {
        CommandRun run =
            CommandRun.of(host.sysfs(), words.subList(1, words.size()).toArray(String[]::new));
        assertThat(run.status()).as("%s: %s", step, run.err()).isZero();
      }
      case "modprobe" -> host.module(words.get(1));
      default -> Files.delete(root.resolve("." + words.getLast()).getParent());
    }
  }

  @ParameterizedTest
  @EnumSource
  void helpAsTheyStand(Situation situation) throws Exception {
    arrange(situation);
    List<String> carriedOut = new ArrayList<>();

    while (true) {
      List<Finding> left = findings().stream().filter(FixesTest::canBeCarriedOut).toList();
      if (left.isEmpty()) {
        break;
      }
      Finding first = left.getFirst();
      for (String step : steps(first.fix().orElseThrow())) {
        carryOut(step);
        carriedOut.add(step);
      }
      assertThat(findings())
          .filteredOn(Finding::check, first.check())
          .singleElement()
          .satisfies(after -> assertThat(after.status()).isEqualTo(Finding.Status.OK));
    }

    assertThat(carriedOut).anyMatch(step -> step.startsWith("vfio4j "));
    assertThat(CommandRun.of(host.sysfs(), "doctor", NIC).status()).isZero();
  }

  private static boolean canBeCarriedOut(Finding finding) {
    return !steps(finding.fix().orElse("")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void areTheSameInShow(Situation situation) throws Exception {
    arrange(situation);

    String last = CommandRun.of(host.sysfs(), "show", NIC).lines().getLast();

    assertThat(last).startsWith("Not opened: ");
    assertThat(steps(last)).isNotEmpty();
    assertThat(findings().stream().flatMap(FixesTest::stepsOf)).containsAll(steps(last));
  }

  private static Stream<String> stepsOf(Finding finding) {
    return steps(finding.fix().orElse("")).stream();
  }
}
