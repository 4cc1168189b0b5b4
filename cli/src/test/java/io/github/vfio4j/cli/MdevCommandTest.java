package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.map;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MdevCommandTest {
  private static final String NAME = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
  private static final String TYPE = "sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2/";

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void offerAType() {
    host =
        new FakeHost(root)
            .file(TYPE + "name", "Dual port serial")
            .file(TYPE + "device_api", "vfio-pci")
            .file(TYPE + "available_instances", "12")
            .link("sys/class/mdev_bus/mtty", "../../devices/virtual/mtty/mtty");
  }

  private CommandRun run(String... arguments) {
    return CommandRun.of(host.sysfs(), arguments);
  }

  @Test
  void listsWhatThereIsAndWhatCanBe() {
    assertThat(run("mdev").lines())
        .containsExactly(
            "PARENT  TYPE    FREE  LIKE      NAME",
            "mtty    mtty-2    12  vfio-pci  Dual port serial",
            "",
            "No mediated devices.");

    run("mdev", "create", "mtty", "mtty-2", NAME);

    assertThat(run("mdev").lines())
        .endsWith(
            "DEVICE                                PARENT  TYPE    DRIVER     CDEV",
            NAME + "  mtty    mtty-2  vfio_mdev  -");
    CommandRun json = run("mdev", "--json");
    assertThat(json.objects("types"))
        .singleElement(map(String.class, Object.class))
        .containsEntry("parent", "mtty")
        .containsEntry("type", "mtty-2")
        .containsEntry("name", "Dual port serial")
        .containsEntry("deviceApi", "vfio-pci")
        .containsEntry("availableInstances", 12);
    assertThat(json.objects("devices"))
        .singleElement(map(String.class, Object.class))
        .containsEntry("name", NAME);
  }

  @Test
  void createsAndRemoves() throws VfioException {
    CommandRun created = run("mdev", "create", "mtty", "mtty-2", NAME);

    assertThat(created.err()).isEmpty();
    assertThat(created.status()).isZero();
    assertThat(created.lines()).containsExactly(NAME + "  mtty-2 of mtty");
    assertThat(host.sysfs().device(UUID.fromString(NAME)).type()).isEqualTo("mtty-2");

    CommandRun removed = run("mdev", "remove", NAME);

    assertThat(removed.status()).isZero();
    assertThat(removed.lines()).containsExactly(NAME + "  mtty-2 of mtty, removed");
    assertThat(host.sysfs().mediatedDevices()).isEmpty();
    assertThat(run("mdev", "remove", NAME).status()).isEqualTo(3);
  }

  @Test
  void makesUpANameAndTellsIt() throws VfioException {
    CommandRun created = run("mdev", "create", "--json", "mtty", "mtty-2");

    assertThat(created.status()).isZero();
    assertThat(created.json())
        .containsEntry("parent", "mtty")
        .containsEntry("name", host.sysfs().mediatedDevices().getFirst().name());
  }

  @Test
  void saysWhatThereIsInstead() throws VfioException {
    CommandRun run = run("mdev", "create", "mtty", "mtty-3", NAME);

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.err()).isEqualTo("vfio4j: create on mtty mtty-3: there are: mtty mtty-2\n");
    assertThat(host.sysfs().mediatedDevices()).isEmpty();
  }

  @Test
  void hostWithoutAnySaysSo(@TempDir Path empty) {
    host = new FakeHost(empty);
    assertThat(run("mdev").lines()).containsExactly("No device here offers mediated devices.");
    assertThat(run("mdev", "create", "mtty", "mtty-2").err()).contains("no device here offers");
  }

  @Test
  void refusalsOfTheKernelAreTold() {
    host.refuse("create", Errno.ENOSPC);
    CommandRun run = run("mdev", "create", "mtty", "mtty-2", NAME);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("create mtty-2 on " + NAME + ": ENOSPC").hasLineCount(1);
  }

  @Test
  void namesThatAreNoUuidsAreWrongUsage() throws VfioException {
    for (String name : new String[] {"1-1-1-1-1", "mtty", "0000:00:05.0"}) {
      assertThat(run("mdev", "remove", name).status()).isEqualTo(2);
      assertThat(run("mdev", "create", "mtty", "mtty-2", name).err())
          .contains("is no UUID")
          .hasLineCount(1);
    }
    assertThat(host.sysfs().mediatedDevices()).isEmpty();
  }
}
