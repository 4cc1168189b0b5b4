package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.sysfs.FakeHost;
import io.github.vfio4j.sysfs.PciDevice;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class VfCommandTest {

  private static final String NIC = "0000:00:06.0";
  private static final String FIRST = "0000:00:1a.0";
  private static final String TOKEN = "52ac9bff-3a88-4fbd-901a-0d767c3b6c97";
  private static final String SECOND = "0000:00:1a.1";

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void plugInANic() {
    host =
        new FakeHost(root)
            .module("vfio-pci")
            .device(NIC)
            .group(6, NIC)
            .driver(NIC, "igb")
            .sriov(NIC, 4);
  }

  private CommandRun run(String... arguments) {
    return CommandRun.of(host.sysfs(), arguments);
  }

  @Test
  void makesListsAndEnds() {
    assertThat(run("vf", NIC).lines()).containsExactly(NIC + " has 0 of 4 virtual functions");

    List<String> listed =
        List.of(
            NIC + " has 2 of 4 virtual functions",
            "  NUMBER  ADDRESS       DRIVER  CDEV  GROUP",
            "       0  " + FIRST + "  igb     -     40",
            "       1  " + SECOND + "  igb     -     41");
    assertThat(run("vf", NIC, "--create", "2").lines()).isEqualTo(listed);
    assertThat(run("vf", "00:06.0").lines()).isEqualTo(listed);
    assertThat(run("vf", NIC, "--create", "1").status()).isEqualTo(5);

    assertThat(run("vf", "--destroy", NIC).lines())
        .containsExactly(
            FIRST + "  has ended", SECOND + "  has ended", NIC + " has 0 of 4 virtual functions");
  }

  @Test
  void printsJson() {
    assertThat(run("vf", "--create", "1", "--json", NIC).objects("functions"))
        .singleElement()
        .satisfies(
            function ->
                assertThat(function)
                    .containsEntry("name", FIRST)
                    .containsEntry("driver", "igb")
                    .containsEntry("iommuGroup", 40)
                    .containsEntry("cdev", null));
    assertThat(run("vf", "--destroy", "--json", NIC).json())
        .containsEntry("limit", 4)
        .containsEntry("ended", List.of(FIRST))
        .containsEntry("functions", List.of());
  }

  private int runSetting(List<String> settings, String... arguments) {
    CommandHost commandHost =
        new CommandHost(
            host.sysfs(),
            PciIds.of(List.of(Path.of("/nonexistent"))),
            device -> {
              throw new AssertionError("opened " + device);
            },
            device -> {
              throw new AssertionError("asked of " + device);
            },
            (_, _) -> List.of(),
            new PrintWriter(new StringWriter()),
            new PrintWriter(new StringWriter()));
    return new CommandLine(
            new VfCommand(
                commandHost,
                (physical, token) ->
                    settings.add(
                        "%s of %s with %d"
                            .formatted(
                                token,
                                physical.name(),
                                host.sysfs().virtualFunctions((PciDevice) physical).size()))))
        .registerConverter(PciAddress.class, PciAddress::of)
        .setErr(new PrintWriter(new StringWriter()))
        .setExecutionExceptionHandler((_, _, _) -> 1)
        .execute(arguments);
  }

  @Test
  void theTokenIsSetBeforeThereIsAFunctionToOpen() {
    List<String> settings = new ArrayList<>();

    assertThat(runSetting(settings, "--create", "2", "--vf-token", TOKEN, NIC)).isZero();

    assertThat(settings).containsExactly(TOKEN + " of " + NIC + " with 0");
  }

  @Test
  void whatMakesNothingSetsNoToken() {
    List<String> settings = new ArrayList<>();
    assertThat(runSetting(settings, "--create", "5", "--vf-token", TOKEN, NIC)).isEqualTo(2);
    assertThat(runSetting(settings, "--create", "1", NIC)).isZero();
    assertThat(runSetting(settings, "--create", "1", "--vf-token", TOKEN, NIC)).isEqualTo(1);
    assertThat(runSetting(settings, "--vf-token", TOKEN, NIC)).isEqualTo(2);
    assertThat(runSetting(settings, "--destroy", "--vf-token", TOKEN, NIC)).isEqualTo(2);
    assertThat(settings).isEmpty();
    assertThat(run("vf", NIC).lines()).first().asString().contains("has 1 of 4");
  }

  @Test
  void aTokenIsAWholeUuid() {
    CommandRun run = run("vf", "--create", "1", "--vf-token", "1-1-1-1-1", NIC);

    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("--vf-token", "is no UUID");
  }

  @Test
  void refusesANumberThatCannotBe() {
    CommandRun run = run("vf", "--create", "5", NIC);

    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("1 to 4").hasLineCount(1);
  }

  @Test
  void refusesADeviceWithoutSriov() {
    host.device("0000:00:05.0");

    CommandRun run = run("vf", "00:05.0");

    assertThat(run.status()).isEqualTo(7);
    assertThat(run.err()).contains("SR-IOV").hasLineCount(1);
  }

  @Test
  void bindingAndUnbindingTellWhichHaveEnded() {
    run("vf", "--create", "2", NIC);

    assertThat(run("bind", NIC).lines())
        .singleElement()
        .asString()
        .endsWith(", ended its virtual functions " + FIRST + " " + SECOND);

    assertThat(run("vf", "--create", "1", NIC).status()).isZero();
    assertThat(run("unbind", "--json", NIC).objects("devices"))
        .singleElement()
        .satisfies(
            device -> assertThat(device).containsEntry("endedVirtualFunctions", List.of(FIRST)));
  }
}
