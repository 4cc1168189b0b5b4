package io.github.vfio4j.cli.demo;

import static io.github.vfio4j.smmuv3.Stage1Tables.PAGE_SIZE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Version;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.Vevent;
import io.github.vfio4j.iommufd.VeventQueue;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.smmuv3.ArmSmmuv3StreamTableEntry;
import io.github.vfio4j.smmuv3.CommandBatch;
import io.github.vfio4j.smmuv3.ContextDescriptor;
import io.github.vfio4j.smmuv3.Event;
import io.github.vfio4j.smmuv3.EventReason;
import io.github.vfio4j.smmuv3.PageFlag;
import io.github.vfio4j.smmuv3.Stage1Tables;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.ReservedRegion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Random;

/** The steps of {@code demo --nested}, told as they are done. */
public final class NestedDemo {

  /** Where the guest finds its memory, and how many pages that has. */
  private static final long MEMORY = 0x4000_0000L;

  private static final int PAGES = 32;

  private static final int FIRST_TABLE = 1; // the context descriptor comes before
  private static final int TABLES = 15;
  private static final int SENT = 16;
  private static final int RECEIVED = 17;
  private static final int OTHER = 18;

  /** What the device asks for: addresses that an edu can put on the bus, wherever QEMU has one. */
  private static final long SOURCE = 0x345_6000L;

  private static final long TARGET = SOURCE + PAGE_SIZE;
  private static final long NOWHERE = 0x666_6000L;

  private static final int INPUT_BITS = 39;
  private static final int ASID = 1;
  private static final long STREAM = 0x10;

  private static final long DEVICE_MEMORY = 0x40000;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final CommandHost host;
  private final Narrator narrator;
  private final Random random = new Random();

  NestedDemo(CommandHost host) {
    this.host = host;
    this.narrator = new Narrator(host.out());
  }

  int run(PciDevice edu) throws VfioException {
    narrator.say("DMA as in a virtual machine, through two page tables: " + Version.platform());
    narrator.say("");
    narrator.say("  The guest writes the first: from what its devices ask for, to its memory.");
    narrator.say("  The host writes the second: from the guest's memory, to real memory.");
    narrator.say(
        "  The IOMMU, which translates what devices ask for, is Arm's SMMUv3 here. It walks");
    narrator.say(
        "  both tables for each access of the device, and knows that by a number, its stream.");
    narrator.say("  An iommufd is the kernel's interface to it; an HWPT is a page table of it.");
    try (BorrowedDevice borrowed = BorrowedDevice.take(host, narrator, edu)) {
      nest(edu);
      borrowed.giveBack();
    }
    narrator.say("");
    narrator.say("Every byte matched, through both page tables.");
    return ExitStatus.DONE;
  }

  /** What the host gives a guest. */
  private record Guest(MemorySegment memory, CdevDevice device, Viommu viommu, VeventQueue events) {

    MemorySegment page(int index) {
      return memory.asSlice((long) index * PAGE_SIZE, PAGE_SIZE);
    }

    static long address(int page) {
      return MEMORY + (long) page * PAGE_SIZE;
    }
  }

  private void nest(PciDevice edu) throws VfioException {
    long size = (long) PAGES * PAGE_SIZE;
    MemorySegment memory = Arena.ofAuto().allocate(size, size); // as hosts with larger pages need
    try (Iommufd iommufd = Iommufd.open()) {
      Guest guest = prepare(edu, iommufd, memory);
      Stage1Tables tables = translate(edu, guest);
      try (Edu driver =
          narrator.step(
              () -> Edu.start(guest.device()),
              started ->
                  "mapped the device's registers and took its interrupt, whose messages take the same way")) {
        narrator.heading("DMA through both tables");
        byte[] bytes = fill(guest, SENT);
        passThrough(driver, guest, bytes);
        change(driver, guest, tables);
        fault(driver, guest);
      }
      narrator.heading("The end of the guest");
      narrator.step(iommufd::close, "closed everything: nothing is mapped or pinned any more");
    }
  }

  private Guest prepare(PciDevice edu, Iommufd iommufd, MemorySegment memory) throws VfioException {
    narrator.heading("The host's part: memory for a guest, and its share of the IOMMU");
    CdevDevice device =
        narrator.step(
            () -> iommufd.bind(host.sysfs().device(edu.address())),
            bound -> "opened the device, and bound it to a new iommufd");
    Ioas ioas =
        narrator.step(
            () -> map(iommufd, memory),
            space ->
                "mapped %s of this program's memory, which the guest finds at 0x%x"
                    .formatted(Size.of(memory.byteSize()), MEMORY));
    HwptPaging parent =
        narrator.step(
            () -> ioas.allocateHwpt(device, HwptFlag.NEST_PARENT),
            made -> "had the kernel make the second page table of that: HWPT " + made.id());
    Viommu viommu =
        narrator.step(
            () -> parent.allocateViommu(device, Viommu.ARM_SMMUV3),
            made -> "made a virtual IOMMU on it: vIOMMU " + made.id());
    narrator.step(
        () -> viommu.allocateVdevice(device, STREAM),
        made -> "said that the guest knows the device as stream 0x%x".formatted(STREAM));
    VeventQueue events =
        narrator.step(
            () -> viommu.allocateVeventQueue(VeventQueue.ARM_SMMUV3, PAGES),
            made -> "opened the queue in which the guest hears of faults");
    return new Guest(memory, device, viommu, events);
  }

  private static Ioas map(Iommufd iommufd, MemorySegment memory) throws VfioException {
    Ioas ioas = iommufd.allocateIoas();
    ioas.map(memory, MEMORY, DmaAccess.READ_WRITE);
    return ioas;
  }

  private Stage1Tables translate(PciDevice edu, Guest guest) throws VfioException {
    narrator.heading("The guest's part, which this program plays: a page table in that memory");
    Stage1Tables tables =
        narrator.step(
            () -> write(edu, guest),
            made ->
                "wrote it: 0x%x leads to 0x%x, 0x%x to 0x%x, and interrupts where they went"
                    .formatted(SOURCE, Guest.address(SENT), TARGET, Guest.address(RECEIVED)));
    narrator.step(
        () -> attach(guest, tables),
        made -> "attached the device to it: nested HWPT %d".formatted(made.id()));
    return tables;
  }

  private Stage1Tables write(PciDevice edu, Guest guest) throws VfioException {
    Stage1Tables tables =
        new Stage1Tables(
            guest.memory().asSlice((long) FIRST_TABLE * PAGE_SIZE, (long) TABLES * PAGE_SIZE),
            Guest.address(FIRST_TABLE),
            INPUT_BITS);
    for (ReservedRegion region : host.sysfs().group(group(edu)).reservedRegions()) {
      if (region.type().equals("msi")) {
        tables.map(
            region.first(),
            region.first(),
            region.last() + 1 - region.first(),
            PageFlag.DEVICE_MEMORY);
      }
    }
    tables.map(SOURCE, Guest.address(SENT), PAGE_SIZE);
    tables.map(TARGET, Guest.address(RECEIVED), PAGE_SIZE);
    return tables;
  }

  private static HwptNested attach(Guest guest, Stage1Tables tables) throws VfioException {
    ContextDescriptor.of(tables, ASID).write(guest.memory(), 0);
    HwptNested nested =
        guest.viommu().allocateNested(guest.device(), ArmSmmuv3StreamTableEntry.translate(MEMORY));
    guest.device().attach(nested);
    return nested;
  }

  /** Puts random bytes into a page of the guest, others than the last time. */
  private byte[] fill(Guest guest, int page) {
    byte[] bytes = new byte[PAGE_SIZE];
    random.nextBytes(bytes);
    MemorySegment.copy(bytes, 0, guest.page(page), JAVA_BYTE, 0, PAGE_SIZE);
    return bytes;
  }

  /** Has the device read what leads to these bytes, and write them back. */
  private void passThrough(Edu driver, Guest guest, byte[] bytes) throws VfioException {
    narrator.step(
        () -> driver.transfer(SOURCE, DEVICE_MEMORY, PAGE_SIZE, false),
        "the device read %d bytes at 0x%x, and raised its interrupt".formatted(PAGE_SIZE, SOURCE));
    narrator.step(
        () -> driver.transfer(DEVICE_MEMORY, TARGET, PAGE_SIZE, true),
        "the device wrote them at 0x%x, and raised its interrupt".formatted(TARGET));
    narrator.step(
        () -> Demo.requireEqual(guest.device(), bytes, guest.page(RECEIVED)),
        "compared them: all %d are equal".formatted(PAGE_SIZE));
  }

  private void change(Edu driver, Guest guest, Stage1Tables tables) throws VfioException {
    narrator.heading("The guest changes its page table under the device");
    byte[] others = fill(guest, OTHER);
    narrator.step(
        () -> tables.remap(SOURCE, Guest.address(OTHER), PAGE_SIZE),
        "wrote that 0x%x leads to 0x%x, which has other random bytes"
            .formatted(SOURCE, Guest.address(OTHER)));
    narrator.step(
        () -> guest.viommu().invalidate(new CommandBatch(1).tlbiNhVa(ASID, SOURCE).batch()),
        "had the IOMMU forget where 0x%x led before (TLBI_NH_VA)".formatted(SOURCE));
    passThrough(driver, guest, others);
  }

  private void fault(Edu driver, Guest guest) throws VfioException {
    narrator.heading("The device asks for what the guest has not mapped");
    narrator.step(
        () -> driver.transfer(NOWHERE, DEVICE_MEMORY, Integer.BYTES, false),
        "the device read at 0x%x, in vain".formatted(NOWHERE));
    narrator.step(() -> awaitFault(guest), event -> "the guest heard of it: %s".formatted(event));
  }

  private static Event awaitFault(Guest guest) throws VfioException {
    List<Vevent> arrived = guest.events().await(PATIENCE);
    Event event = arrived.isEmpty() ? null : Event.of(arrived.getFirst());
    if (event == null
        || event.reason() != EventReason.F_TRANSLATION
        || event.stream() != STREAM
        || event.address().orElse(0) != NOWHERE) {
      throw new VfioException(
          "await the fault at 0x%x".formatted(NOWHERE),
          guest.events().toString(),
          null,
          event == null ? "no event came" : "another event came: " + event);
    }
    return event;
  }

  private static int group(PciDevice edu) throws VfioException {
    return edu.iommuGroup()
        .orElseThrow(
            () ->
                new UnsupportedByKernelException(
                    "nest", edu.name(), null, "no IOMMU translates for it"));
  }
}
