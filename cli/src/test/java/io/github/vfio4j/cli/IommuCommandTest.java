package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.HwData;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.iommufd.HwptProbe;
import io.github.vfio4j.iommufd.IommuSurvey;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IommuCommandTest {
  private static final String NIC = "0000:00:06.0";
  private static final String DISK = "0000:00:07.0";

  private static final HwData VTD =
      HardwareData.vtd(47L << 16, 1L << 43 | 1L << 47 | 1L << 40 | 1L << 29);
  private static final HwData SMMU =
      HardwareData.smmuv3(
          1, new int[] {2 << 2 | 1 << 24, 5 << 6 | 16, 0, 1 << 10, 0, 0x30}, 0x43b, 5);

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void makeHost() {
    host = new FakeHost(root).device(NIC).device(DISK).group(6, NIC).group(7, DISK);
    host.driver(NIC, "vfio-pci");
  }

  private static IommuSurvey survey(HwInfo info, HwData... queues) {
    return new IommuSurvey(
        Optional.of(info),
        List.of(queues).stream().findFirst(),
        List.of(
            new HwptProbe(HwptProbe.Kind.PLAIN, Optional.empty()),
            new HwptProbe(
                HwptProbe.Kind.NEST_PARENT,
                Optional.of(
                    new UnsupportedByKernelException(
                        "IOMMU_HWPT_ALLOC", "IOAS 3 for it", Errno.EOPNOTSUPP, "it cannot nest")))),
        4096,
        List.of(new IovaRange(0, 0xfedfffffL)));
  }

  private static IommuSurvey survey(HwData data) {
    return survey(new HwInfo(0, 0, data));
  }

  private static final IommuSurvey NONE =
      new IommuSurvey(Optional.empty(), Optional.empty(), List.of(), 0, List.of());

  private CommandRun ask(IommuSurvey answer, String... options) {
    List<String> arguments = new ArrayList<>(List.of("iommu", NIC));
    arguments.addAll(List.of(options));
    return CommandRun.surveying(host.sysfs(), device -> answer, arguments.toArray(String[]::new));
  }

  @Test
  void tellsWhatVtdCanDo() {
    CommandRun run = ask(survey(new HwInfo(1 | 4, 20, VTD)));

    assertThat(run.status()).isZero();
    assertThat(run.lines())
        .containsExactly(
            "0000:00:06.0  device [1234:11e8]",
            "  IOMMU                                   Intel VT-d",
            "    address bits                          48",
            "    scalable mode                         yes",
            "    first stage                           yes",
            "    second stage                          no",
            "    nesting                               no",
            "    dirty bits                            no",
            "    page requests                         yes",
            "    PASIDs                                yes",
            "    erratum 772415: no read-only parents  no",
            "    registers                             CAP 0x2f0000, ECAP 0x890020000000",
            "  dirty tracking                          yes",
            "  PASIDs of the device                    20 bits, privileged mode",
            "  ATS of the device                       not ruled out",
            "",
            "  PAGE TABLE         CAN BE MADE",
            "  plain              yes",
            "  parent of nesting  no: EOPNOTSUPP: it cannot nest",
            "",
            "  IOVA RANGE                 SIZE  in units of 4 KiB",
            "  0x0-0xfedfffff         4078 MiB",
            "  0xfee00000-0xfeefffff     1 MiB  reserved: msi");
  }

  @Test
  void tellsWhatAnSmmuCanDo() {
    CommandRun run = ask(survey(SMMU));

    assertThat(run.lines())
        .contains(
            "  IOMMU                        Arm SMMUv3",
            "    stream ID bits             16",
            "    substream ID bits          5",
            "    AArch64 tables             yes",
            "    pages of 4 KiB             yes",
            "    pages of 16 KiB            yes",
            "    pages of 64 KiB            no",
            "    stalls                     no",
            "    range invalidation         yes",
            "    erratum: invalidate twice  yes",
            "  PASIDs of the device         no");
    assertThat(run.out()).contains("IDR0 0x1000008, IDR1 0x150, ").contains("AIDR 0x5");
  }

  @Test
  void tellsOfAnExtensionOfAnSmmu() {
    CommandRun run = ask(survey(new HwInfo(0, 0, SMMU), HardwareData.tegra241Cmdqv(1, 2, 4)));

    assertThat(run.out()).containsPattern("(?m)^  extension +NVIDIA Tegra241 CMDQV$");
    assertThat(run.out()).containsPattern("(?m)^    queues, as bits +2$");
  }

  @Test
  void tellsWhatAmdCanDo() {
    CommandRun run = ask(survey(new HwInfo(8, 0, HardwareData.amd(0xfL << 32 | 1L << 52, 7))));

    assertThat(run.lines())
        .contains(
            "  IOMMU                 AMD IOMMU",
            "    guest translation   no",
            "    dirty bits          yes",
            "    PASID bits          0",
            "    registers           EFR 0x10000f00000000, EFR2 0x7",
            "  ATS of the device     no");
  }

  @Test
  void tellsWhereThereIsNone() {
    CommandRun run = ask(NONE);

    assertThat(run.status()).isZero();
    assertThat(run.lines())
        .containsExactly(
            "0000:00:06.0  device [1234:11e8]",
            "  IOMMU  none guards it: its DMA would reach any memory");
  }

  @Test
  void printsEverythingAsJson() {
    CommandRun run = ask(survey(new HwInfo(1 | 2, 20, VTD)), "--json");

    Map<String, Object> device = run.objects("devices").getFirst();
    assertThat(device)
        .containsEntry("name", NIC)
        .containsEntry("commandQueues", null)
        .containsEntry("granule", 4096)
        .containsEntry("iovaRanges", List.of(Map.of("first", "0x0", "last", "0xfedfffff")))
        .containsEntry(
            "reservedRegions",
            List.of(Map.of("first", "0xfee00000", "last", "0xfeefffff", "type", "msi")));
    Map<?, ?> iommu = (Map<?, ?>) device.get("iommu");
    assertThat(iommu.get("kind")).isEqualTo("vtd");
    assertThat(iommu.get("pasidBits")).isEqualTo(20);
    assertThat(iommu.get("pasidExecute")).isEqualTo(true);
    assertThat(iommu.get("dirtyTracking")).isEqualTo(true);
    assertThat(iommu.get("registers"))
        .isEqualTo(Map.of("CAP", "0x2f0000", "ECAP", "0x890020000000"));
    assertThat(((Map<?, ?>) iommu.get("features")).get("addressBits")).isEqualTo(48);
    assertThat(((List<?>) device.get("pageTables")).get(1))
        .isEqualTo(
            Map.of(
                "kind", "nest_parent",
                "makeable", false,
                "reason", "EOPNOTSUPP: it cannot nest"));
  }

  @Test
  void tellsInJsonWhereThereIsNone() {
    assertThat(ask(NONE, "--json").objects("devices").getFirst())
        .containsEntry("iommu", null)
        .containsEntry("pageTables", List.of());
  }

  private CommandRun refuse(VfioException why) {
    return CommandRun.surveying(
        host.sysfs(),
        device -> {
          throw why;
        },
        "iommu",
        NIC);
  }

  @Test
  void endsAsOtherCommandsDoWhereItCannotAsk() {
    CommandRun unbound = refuse(new DeviceNotBoundException("open", NIC, null, "no driver"));
    CommandRun busy = refuse(new DeviceBusyException("open", NIC, Errno.EBUSY, "it is open"));
    CommandRun barred = refuse(new NotPermittedException("open", NIC, Errno.EACCES, "not yours"));
    CommandRun old =
        refuse(new UnsupportedByKernelException("ask", NIC, null, "Linux 6.6 was the first"));

    assertThat(unbound.status()).isEqualTo(6);
    assertThat(busy.status()).isEqualTo(5);
    assertThat(barred.status()).isEqualTo(4);
    assertThat(old.status()).isEqualTo(7);
    assertThat(old.err().lines())
        .containsExactly("vfio4j: ask on 0000:00:06.0: Linux 6.6 was the first");
    assertThat(List.of(unbound, busy, barred, old)).allMatch(run -> run.out().isEmpty());
  }

  @Test
  void asksOfEachBoundDevice() {
    assertThat(CommandRun.surveying(host.sysfs(), device -> NONE, "iommu").lines())
        .filteredOn(line -> !line.startsWith(" "))
        .containsExactly("0000:00:06.0  device [1234:11e8]");

    host.driver(DISK, "vfio-pci");
    assertThat(CommandRun.surveying(host.sysfs(), device -> NONE, "iommu").lines())
        .filteredOn(line -> !line.startsWith(" "))
        .containsExactly(
            "0000:00:06.0  device [1234:11e8]", "", "0000:00:07.0  device [1234:11e8]");
  }

  @Test
  void asksOfEachDeviceThatIsNamed() {
    host.driver(DISK, "vfio-pci");

    CommandRun run =
        CommandRun.surveying(host.sysfs(), device -> NONE, "iommu", "00:1f.1", DISK, NIC);

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.lines())
        .filteredOn(line -> line.startsWith("0000:"))
        .extracting(line -> line.substring(0, 12))
        .containsExactly(DISK, NIC);
  }

  @Test
  void goesOnAfterADeviceThatCannotBeAsked() {
    host.driver(DISK, "vfio-pci");

    CommandRun run =
        CommandRun.surveying(
            host.sysfs(),
            device -> {
              if (device.name().equals(NIC)) {
                throw new DeviceBusyException("open", NIC, Errno.EBUSY, "it is open");
              }
              return NONE;
            },
            "iommu");

    assertThat(run.status()).isEqualTo(5);
    assertThat(run.lines()).first().isEqualTo("0000:00:07.0  device [1234:11e8]");
    assertThat(run.err().lines())
        .containsExactly("vfio4j: open on 0000:00:06.0: EBUSY: it is open");
  }

  @Test
  void tellsOnceThatTheKernelIsTooOld() {
    host.driver(DISK, "vfio-pci");

    CommandRun run =
        CommandRun.surveying(
            host.sysfs(),
            device -> {
              throw new UnsupportedByKernelException("ask", device.name(), null, "too old");
            },
            "iommu");

    assertThat(run.status()).isEqualTo(7);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines()).hasSize(1);
  }

  @Test
  void aKernelThatIsTooOldTakesNothingBackThatWasFound() {
    host.driver(DISK, "vfio-pci");

    CommandRun run =
        CommandRun.surveying(
            host.sysfs(),
            device -> {
              if (device.name().equals(NIC)) {
                return NONE;
              }
              throw new UnsupportedByKernelException("ask", device.name(), null, "too old");
            },
            "iommu",
            "00:1f.1",
            NIC,
            DISK);

    assertThat(run.status()).isEqualTo(3);
    assertThat(run.out()).startsWith(NIC).doesNotContain(DISK);
    assertThat(run.err().lines())
        .satisfiesExactly(
            first -> assertThat(first).contains("0000:00:1f.1"),
            then -> assertThat(then).isEqualTo("vfio4j: then also: ask on 0000:00:07.0: too old"));
  }

  @Test
  void tellsWhereNoDeviceIsBound() {
    FakeHost unbound = new FakeHost(root.resolve("other")).device(NIC);

    CommandRun text = CommandRun.of(unbound.sysfs(), "iommu");
    CommandRun json = CommandRun.of(unbound.sysfs(), "iommu", "--json");

    assertThat(text.out()).isEqualTo("No device is bound to a VFIO driver.\n");
    assertThat(json.objects("devices")).isEmpty();
  }
}
