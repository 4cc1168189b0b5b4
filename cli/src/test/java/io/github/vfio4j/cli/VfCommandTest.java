package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VfCommandTest {

  private static final String NIC = "0000:00:06.0";
  private static final String FIRST = "0000:00:1a.0";
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
