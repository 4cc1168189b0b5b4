package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.LIST;
import static org.assertj.core.api.InstanceOfAssertFactories.MAP;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.RegionCapability;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.OpenedDevice;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShowCommandTest {

  private static final String NIC = "0000:00:06.0";

  private static final OpenedDevice OPENED =
      new OpenedDevice(
          new BackendChoice(Backend.IOMMUFD, "because"),
          new DeviceInfo(3, 10, 5, List.of()),
          EnumSet.of(DeviceFeature.LOW_POWER_ENTRY, DeviceFeature.LOW_POWER_EXIT),
          Optional.empty(),
          List.of(
              new RegionInfo(
                  0,
                  7,
                  0x4000,
                  0,
                  List.of(
                      new RegionCapability.SparseMmap(
                          List.of(new RegionCapability.SparseMmap.Area(0x1000, 0x3000))))),
              new RegionInfo(1, 7, 64 << 20, 0, List.of(new RegionCapability.MsixMappable())),
              new RegionInfo(2, 0, 0, 0, List.of()),
              new RegionInfo(7, 3, 256, 0, List.of()),
              new RegionInfo(9, 1, 8192, 0, List.of(new RegionCapability.Type(0x80008086, 1)))),
          List.of(
              new OpenedDevice.Irq(0, 1, true, true, true),
              new OpenedDevice.Irq(1, 0, false, false, false),
              new OpenedDevice.Irq(2, 64, false, false, true)),
          4096,
          List.of(new IovaRange(0, 0xfedfffffL), new IovaRange(0xfef00000L, (1L << 48) - 1)));

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void makeHost() {
    host = new FakeHost(root).module("vfio-pci").device(NIC);
  }

  private CommandRun showBound(CommandHost.Opener opener, String... options) {
    host.group(6, NIC).driver(NIC, "vfio-pci");
    String[] arguments = new String[options.length + 2];
    arguments[0] = "show";
    arguments[1] = NIC;
    System.arraycopy(options, 0, arguments, 2, options.length);
    return CommandRun.of(host.sysfs(), opener, arguments);
  }

  @Test
  void showsABareDeviceWithoutOpeningIt() {
    CommandRun run = CommandRun.of(host.sysfs(), "show", NIC);

    assertThat(run.status()).isZero();
    assertThat(run.lines())
        .containsExactly(
            "0000:00:06.0  device [1234:11e8]",
            "  class        [00ff00]",
            "  subsystem    [1af4:1100]",
            "  revision     10",
            "  reset        -",
            "  command      -",
            "  driver       -",
            "  cdev         -",
            "  IOMMU group  -",
            "",
            "Not opened: no driver is bound to it; vfio4j bind 0000:00:06.0");
  }

  /** A device with two BARs, MSI-X and nothing else. */
  private static byte[] config() {
    byte[] bytes = new byte[256];
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0x00, 0x11e81234)
        .putInt(0x04, 0x00100406)
        .putInt(0x10, 0xfebd000c)
        .putInt(0x14, 0x00000001)
        .putInt(0x18, 0x0000c001)
        .put(0x34, (byte) 0x40)
        .putInt(0x40, 0x803f0011)
        .putInt(0x44, 0x00002000)
        .putInt(0x48, 0x00003000);
    return bytes;
  }

  private static final String RESOURCE =
      """
      0x00000001febd0000 0x00000001febd3fff 0x000000000014220c
      0x0000000000000000 0x0000000000000000 0x0000000000000000
      0x000000000000c000 0x000000000000c01f 0x0000000000040101""";

  @Test
  void tellsWhatIsInTheConfigurationSpace() {
    host.config(NIC, config()).attribute(NIC, "resource", RESOURCE);

    assertThat(CommandRun.of(host.sysfs(), "show", NIC).out())
        .contains("  command      memory, bus master, no INTx\n")
        .contains(
            """
              BAR    ADDRESS        SIZE  KIND
              BAR 0  0x1febd0000  16 KiB  memory, 64 bits, prefetchable
              BAR 2  0xc000         32 B  ports

              CAPABILITY  AT    PROPERTIES
              MSI-X       0x40  64 vectors, on, table in BAR 0 at 0x2000
            """);
    Map<?, ?> json =
        (Map<?, ?>) CommandRun.of(host.sysfs(), "show", "--json", NIC).json().get("config");
    assertThat((List<?>) json.get("baseAddresses"))
        .first()
        .isEqualTo(
            Map.of(
                "number",
                0,
                "kind",
                "memory64",
                "prefetchable",
                true,
                "address",
                "0x1febd0000",
                "size",
                16384));
    assertThat((List<?>) json.get("capabilities"))
        .singleElement()
        .asInstanceOf(MAP)
        .containsEntry("kind", "msix")
        .containsEntry("vectors", 64)
        .containsEntry("pendingOffset", "0x3000");
  }

  @Test
  void saysWhatOrdinaryUsersDoNotSee() {
    host.config(NIC, Arrays.copyOf(config(), 64));

    assertThat(CommandRun.of(host.sysfs(), "show", NIC).lines())
        .contains("  BAR 2  0xc000          ?  ports")
        .anyMatch(line -> line.startsWith("Configuration space: ") && line.contains("only root"));
    assertThat(CommandRun.of(host.sysfs(), "show", "--json", NIC).json().get("config"))
        .asInstanceOf(MAP)
        .containsEntry("capabilities", List.of())
        .hasEntrySatisfying("notRead", why -> assertThat((String) why).contains("only root"));
  }

  @Test
  void saysThatADeviceDoesNotAnswer() {
    byte[] ones = new byte[256];
    Arrays.fill(ones, (byte) -1);
    host.config(NIC, ones);

    CommandRun run = CommandRun.of(host.sysfs(), "show", NIC);

    assertThat(run.status()).isZero();
    assertThat(run.lines())
        .anyMatch(line -> line.startsWith("Configuration space: ") && line.contains("not answer"));
  }

  @Test
  void namesWhoSharesTheGroupAndWhoIsInTheWay() {
    host.device("0000:00:06.1")
        .device("0000:00:06.2")
        .driver("0000:00:06.1", "nvme")
        .group(6, NIC, "0000:00:06.1", "0000:00:06.2");

    CommandRun run = CommandRun.of(host.sysfs(), "show", NIC);

    assertThat(run.lines())
        .contains(
            "  IOMMU group    6, DMA-FQ",
            "  shared with    0000:00:06.1 nvme, in the way",
            "                 0000:00:06.2",
            "  reserved IOVA  0xfee00000-0xfeefffff  msi");
  }

  @Test
  void showsTheInsidesOfADeviceThatCanBeOpened() {
    CommandRun run = showBound(device -> OPENED);

    assertThat(run.status()).isZero();
    assertThat(run.out())
        .endsWith(
            """
            Opened by cdev+iommufd: because
              can be reset
              has LOW_POWER_ENTRY, LOW_POWER_EXIT

              REGION      SIZE  ACCESS          CAPABILITIES
              BAR 0     16 KiB  read write map  map only 12 KiB at 0x1000
              BAR 1     64 MiB  read write map  MSI-X table mappable
              config     256 B  read write
              region 9   8 KiB  read            type 0x80008086, subtype 0x1

              INTERRUPT  VECTORS  PROPERTIES
              INTx             1  maskable, masks itself
              MSI-X           64  vectors can be added

              IOVA RANGE                      SIZE  in units of 4 KiB
              0x0-0xfedfffff              4078 MiB
              0xfef00000-0xffffffffffff  256.0 TiB
            """);
  }

  @Test
  void stillShowsTheRestOfADeviceThatCannotBeOpened() {
    CommandRun run =
        showBound(
            device -> {
              throw new NotPermittedException("open", "/dev/vfio/6", Errno.EACCES, "not yours");
            });

    assertThat(run.status()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.lines()).contains("  driver         vfio-pci");
    assertThat(run.lines()).last().isEqualTo("Not opened: open on /dev/vfio/6: EACCES: not yours");
  }

  @Test
  void leavesADeviceAloneIfAsked() {
    CommandRun run =
        showBound(
            device -> {
              throw new AssertionError();
            },
            "--no-open");

    assertThat(run.status()).isZero();
    assertThat(run.lines()).last().isEqualTo("Not opened: not asked for");
  }

  @Test
  void printsEverythingAsJson() {
    CommandRun run = showBound(device -> OPENED, "--json");

    assertThat(run.json())
        .containsEntry("name", NIC)
        .containsEntry("notOpened", null)
        .containsEntry("resetMethods", List.of());
    Map<?, ?> opened = (Map<?, ?>) run.json().get("opened");
    assertThat(opened.get("backend")).isEqualTo("iommufd");
    assertThat(opened.get("granule")).isEqualTo(4096);
    assertThat(opened.get("iovaRanges"))
        .isEqualTo(
            List.of(
                Map.of("first", "0x0", "last", "0xfedfffff"),
                Map.of("first", "0xfef00000", "last", "0xffffffffffff")));
    assertThat((List<?>) opened.get("regions")).hasSize(5);
    Map<?, ?> group = (Map<?, ?>) run.json().get("group");
    assertThat(group.get("number")).isEqualTo(6);
    assertThat(group.get("members"))
        .asInstanceOf(LIST)
        .singleElement()
        .isEqualTo(Map.of("name", NIC, "driver", "vfio-pci", "inTheWay", false));
  }

  @Test
  void saysInJsonWhyADeviceWasNotOpened() {
    assertThat(CommandRun.of(host.sysfs(), "show", "--json", NIC).json())
        .containsEntry("opened", null)
        .containsEntry("group", null)
        .containsEntry("notOpened", "no driver is bound to it; vfio4j bind 0000:00:06.0");
  }

  @Test
  void showsSeveralWithAnEmptyLineBetween() {
    host.device("0000:00:07.0");
    String first = CommandRun.of(host.sysfs(), "show", "00:07.0").out();
    String second = CommandRun.of(host.sysfs(), "show", NIC).out();

    CommandRun run = CommandRun.of(host.sysfs(), "show", "00:07.0", NIC);

    assertThat(run.status()).isZero();
    assertThat(run.out()).isEqualTo(first + "\n" + second);
  }

  @Test
  void goesOnAfterDevicesThatAreNotThere() {
    CommandRun run = CommandRun.of(host.sysfs(), "show", "00:1f.1", NIC, "00:1f.2");

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.out()).isEqualTo(CommandRun.of(host.sysfs(), "show", NIC).out());
    assertThat(run.err().lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("0000:00:1f.1"),
            line -> assertThat(line).contains("0000:00:1f.2"));
  }

  @Test
  void opensNothingWhereAnAddressIsNone() {
    CommandRun run =
        showBound(
            device -> {
              throw new AssertionError();
            },
            "zz");

    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void severalAreAListInJson() {
    host.device("0000:00:07.0");

    CommandRun run = CommandRun.of(host.sysfs(), "show", "--json", "00:07.0", NIC);
    assertThat(run.json()).containsOnlyKeys("devices");
    assertThat(run.objects("devices"))
        .containsExactly(
            CommandRun.of(host.sysfs(), "show", "--json", "00:07.0").json(),
            CommandRun.of(host.sysfs(), "show", "--json", NIC).json());
  }

  @Test
  void theListInJsonHasWhatCouldBeShown() {
    CommandRun one = CommandRun.of(host.sysfs(), "show", "--json", "00:1f.1", NIC);
    assertThat(one.status()).isEqualTo(3);
    assertThat(one.objects("devices"))
        .singleElement()
        .extracting(device -> device.get("name"))
        .isEqualTo(NIC);

    CommandRun none = CommandRun.of(host.sysfs(), "show", "--json", "00:1f.1", "00:1f.2");
    assertThat(none.status()).isEqualTo(3);
    assertThat(none.objects("devices")).isEmpty();
  }
}
