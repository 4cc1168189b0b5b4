package io.github.vfio4j.cli.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.OpenedDevice;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.iommufd.IommuSurvey;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
import io.github.vfio4j.sysfs.FakeHost;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.jr.ob.JSON;

/** The commands on a controller written in Java. */
class NvmeCommandTest {
  private static final String DISK = "0000:00:05.0";
  private static final int BLOCKS = 4096;

  @TempDir Path root;
  @TempDir Path files;
  private final StringWriter out = new StringWriter();
  private final NvmeModel model = new NvmeModel(BLOCKS, 512);
  private FakeHost host;
  private ModelHost machine;
  private HostDevice opened;

  @BeforeEach
  void plugIn() throws IOException {
    host =
        new FakeHost(root)
            .device(DISK)
            .attribute(DISK, "class", "0x010802")
            .driver(DISK, "vfio-pci")
            .device("0000:00:06.0")
            .device("0000:00:07.0")
            .attribute("0000:00:07.0", "class", "0x010802")
            .driver("0000:00:07.0", "nvme");
    machine = ModelHost.of(DISK, model);
  }

  @AfterEach
  void unplug() throws IOException {
    machine.close();
  }

  /** Runs a command, each with the same disk, and returns what it printed. */
  private String run(int status, String... arguments) {
    out.getBuffer().setLength(0);
    StringWriter err = new StringWriter();
    CommandHost commandHost =
        new CommandHost(
            host.sysfs(),
            PciIds.of(List.of(Path.of("/nonexistent"))),
            NvmeCommandTest::notToBeOpened,
            NvmeCommandTest::notToBeAsked,
            (_, _) -> List.of(),
            new PrintWriter(out),
            new PrintWriter(new StringWriter()));
    CommandLine commands =
        NvmeCommand.of(commandHost, this::open)
            .setErr(new PrintWriter(err))
            .setExecutionExceptionHandler(
                (failure, commandLine, _) -> {
                  commandLine.getErr().println(failure.getMessage());
                  return 1;
                });
    assertThat(commands.execute(arguments)).as("%s", err).isEqualTo(status);
    commandHost.out().flush();
    return out.toString() + err;
  }

  private VfioDevice open(HostDevice device) throws VfioException {
    opened = device;
    return machine.open();
  }

  private static OpenedDevice notToBeOpened(HostDevice device) {
    throw new AssertionError("opened " + device);
  }

  private static IommuSurvey notToBeAsked(HostDevice device) {
    throw new AssertionError("asked of " + device);
  }

  @Test
  void listHasTheNamespaces() {
    assertThat(run(0, "list").lines())
        .hasSize(3)
        .element(1)
        .asString()
        .startsWith(DISK)
        .contains("vfio-pci", "2 MiB", "512 B");
  }

  @Test
  void diskOpensWithTheTokenThatIsGiven() {
    String token = "52ac9bff-3a88-4fbd-901a-0d767c3b6c97";
    for (String[] command :
        new String[][] {
          {"identify", DISK},
          {"smart", DISK},
          {"read", DISK, files.resolve("blocks").toString()},
          {"write", "--yes", DISK, files.resolve("blocks").toString()},
          {"bench", "--seconds", "1", DISK}
        }) {
      List<String> words = new ArrayList<>(List.of(command));
      words.addAll(List.of("--vf-token", token));
      run(0, words.toArray(String[]::new));
      assertThat(opened.vfToken()).as(command[0]).contains(UUID.fromString(token));
    }
  }

  @Test
  void diskThatIsNotBoundIsListedAndLeftAlone() {
    assertThat(run(0, "list").lines())
        .last()
        .asString()
        .startsWith("0000:00:07.0  nvme")
        .doesNotContain("MiB");
  }

  @Test
  void identifyTellsOfTheController() throws IOException {
    assertThat(run(0, "identify", "00:05.0"))
        .contains("namespace 1", "2 MiB: 4096 blocks of 512 B", "largest transfer");
    assertThat(JSON.std.mapFrom(run(0, "identify", "--json", DISK)))
        .containsEntry("address", DISK)
        .containsKeys("model", "serialNumber", "maximumTransfer", "commands", "namespaces");
  }

  @Test
  void identifyCountsZones() throws IOException {
    model.withZones(10, 4, 3, 3, 0);
    model.wearOut(2, 9, true);
    model.wearOut(2, 8, false);
    assertThat(run(0, "identify", DISK))
        .containsPattern("namespace 2 +20 KiB: 40 blocks of 512 B")
        .containsPattern("its zones +10 of 2 KiB, at most 3 open: 8 empty, 1 read only, 1 offline");
    List<?> namespaces =
        (List<?>) JSON.std.mapFrom(run(0, "identify", "--json", DISK)).get("namespaces");
    assertThat(namespaces).hasSize(2);
    assertThat((Map<?, ?>) namespaces.getFirst()).extracting("zones").isNull();
    assertThat((Map<?, ?>) namespaces.getLast())
        .extracting("zones")
        .hasToString(
            "{zoneBytes=2048, count=10, mostOpen=3, mostActive=null, states={empty=8,"
                + " implicitlyOpened=0, explicitlyOpened=0, closed=0, full=0, readOnly=1, offline=1}}");
  }

  @Test
  void smartTellsOfItsHealth() throws IOException {
    assertThat(run(0, "smart", DISK)).containsPattern("warnings +none").contains("°C");
    assertThat(JSON.std.mapFrom(run(0, "smart", "--json", DISK)))
        .containsEntry("criticalWarnings", List.of())
        .containsKeys("celsius", "mediaErrors");
  }

  @Test
  void whatWasWrittenIsReadAgain() throws IOException {
    byte[] content = new byte[100_000]; // 195 blocks and a part
    new Random(3).nextBytes(content);
    Path written = Files.write(files.resolve("written"), content);
    Path read = files.resolve("read");

    run(0, "write", "--yes", "--block", "100", DISK, written.toString());
    String told = run(0, "read", "--block=100", "--count=196", DISK, read.toString());

    assertThat(told).contains(DISK + "  read 98 KiB in ");
    assertThat(Files.readAllBytes(read)).hasSize(196 * 512).startsWith(content);
  }

  @Test
  void readGoesToTheEndOfTheDisk() throws IOException {
    Path read = files.resolve("read");
    run(0, "read", "--block", "4000", DISK, read.toString());
    assertThat(read).hasSize(96 * 512);
  }

  @Test
  void nothingIsWrittenUnasked() throws IOException {
    Path file = Files.write(files.resolve("file"), new byte[512]);
    assertThat(run(2, "write", DISK, file.toString())).contains("--yes");
  }

  @Test
  void whatDoesNotFitIsRefusedBeforeAnythingIsWritten() throws IOException {
    Path file = Files.write(files.resolve("file"), new byte[513]);
    assertThat(run(2, "write", "--yes", "--block", "4095", DISK, file.toString()))
        .contains("does not fit into the 4096 blocks of namespace 1, block 4095");
    assertThat(run(2, "read", "--block", "4096", DISK, files.resolve("x").toString()))
        .contains("there is no namespace 1, block 4096: it has 4096 blocks");
    assertThat(files.resolve("x")).doesNotExist();
    assertThat(run(2, "read", "--count", "0", DISK, files.resolve("x").toString()))
        .contains("--count is at least 1");
  }

  @Test
  void benchCountsWhatItReads() throws IOException {
    var told =
        JSON.std.mapFrom(run(0, "bench", "--seconds=1", "--depth=4", "--queues=2", "--json", DISK));
    int commands = (Integer) told.get("commands");
    assertThat(commands).isGreaterThan(8);
    assertThat((Double) told.get("commandsPerSecond") * (Double) told.get("seconds"))
        .isCloseTo(commands, within(0.5));
    assertThat(told).containsEntry("operation", "read").containsEntry("queuePairs", 2);
    assertThat(run(0, "bench", "--seconds=1", "--interrupts", "--sequential", DISK))
        .contains("sequential reads of 4 KiB, 32 at once in each of 1 queue pairs, with interrupts")
        .containsPattern("99.99 % +[0-9.]+ µs");
  }

  @Test
  void benchWritesToAllOfTheDisk() throws IOException {
    run(0, "bench", "--write", "--yes", "--seconds=1", "--size=65536", DISK);
    Path read = files.resolve("read");
    run(0, "read", "--count=128", DISK, read.toString());
    assertThat(Files.readAllBytes(read)).isNotEqualTo(new byte[65536]);
  }

  @Test
  void benchRefusesWhatTheDiskCannot() throws IOException {
    assertThat(run(2, "bench", "--size=1000", DISK)).contains("--size cannot be 1000 here");
    assertThat(run(2, "bench", "--queues=70000", DISK)).contains("--queues cannot be 70000 here");
    assertThat(run(2, "bench", "--depth=100000", DISK)).contains("the depth of a queue pair");
    assertThat(run(2, "bench", "--seconds=0", DISK)).contains("--seconds cannot be 0 here");
    assertThat(run(2, "bench", "--write", DISK)).contains("nobody can be asked: --yes");
  }

  @Test
  void benchTellsOfACommandThatFails() throws IOException {
    model.faults().fail(0x281);
    assertThat(run(1, "bench", "--seconds=5", DISK)).contains("Unrecovered Read Error");
  }

  @Test
  void otherDevicesAreRefused() {
    assertThat(run(1, "identify", "00:06.0")).contains("it is no NVMe controller");
  }
}
