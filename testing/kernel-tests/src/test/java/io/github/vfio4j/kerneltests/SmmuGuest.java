package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.smmuv3.ArmSmmuv3StreamTableEntry;
import io.github.vfio4j.smmuv3.ContextDescriptor;
import io.github.vfio4j.smmuv3.PageFlag;
import io.github.vfio4j.smmuv3.Stage1Tables;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What a virtual machine behind an SMMUv3 has: memory, page tables in it that map the messages of
 * interrupts and one page to receive in, and a vIOMMU. Its devices are not attached yet.
 */
final class SmmuGuest implements AutoCloseable {
  /** Where its memory is for the guest. */
  static final long MEMORY = 0x4000_0000L;

  /** Where devices see the page to receive in, the last one of the input addresses. */
  static final long RECEIVED = (1L << 39) - PAGE;

  static final int INPUT_BITS = 39;
  static final int ASID = 7;

  private static final int TABLES = 1; // descriptors come before
  private static final int TABLE_PAGES = 15;
  private static final int DATA = 2 * (TABLES + TABLE_PAGES);
  private static final int DATA_PAGES = 16;
  private static final int RECEIVED_PAGE = DATA_PAGES - 1;

  /** The page that the host can take away. */
  static final int LAST = DATA_PAGES;

  private final MemorySegment memory = EduDma.pages(Arena.ofAuto(), DATA + DATA_PAGES + 1);
  private final Iommufd iommufd;
  private final Ioas ioas;
  private final CdevDevice device;
  private final Viommu viommu;
  private final Stage1Tables tables;

  private SmmuGuest(Iommufd iommufd, PciAddress address) throws VfioException {
    this.iommufd = iommufd;
    this.ioas = iommufd.allocateIoas();
    long kept = memory.byteSize() - PAGE;
    ioas.map(memory.asSlice(0, kept), MEMORY, READ_WRITE);
    ioas.map(memory.asSlice(kept), MEMORY + kept, READ_WRITE);
    this.device = EduTests.device(address, iommufd);
    HwptPaging parent = ioas.allocateHwpt(device, HwptFlag.NEST_PARENT);
    this.viommu = parent.allocateViommu(device, Viommu.ARM_SMMUV3);
    this.tables = receiving(newTables(TABLES, INPUT_BITS));
    describe(0, tables, ASID);
  }

  static SmmuGuest start(PciAddress address) throws VfioException {
    Iommufd iommufd = Iommufd.open();
    try {
      return new SmmuGuest(iommufd, address);
    } catch (VfioException | RuntimeException e) {
      iommufd.close();
      throw e;
    }
  }

  Iommufd iommufd() {
    return iommufd;
  }

  Ioas ioas() {
    return ioas;
  }

  CdevDevice device() {
    return device;
  }

  Viommu viommu() {
    return viommu;
  }

  Stage1Tables tables() {
    return tables;
  }

  /** Other page tables, in memory of their own, that map the same. */
  Stage1Tables otherTables() {
    return receiving(otherTables(INPUT_BITS));
  }

  /** Such tables of another size, that map the messages of interrupts alone. */
  Stage1Tables otherTables(int inputBits) {
    return newTables(TABLES + TABLE_PAGES, inputBits);
  }

  private Stage1Tables newTables(int page, int inputBits) {
    var made =
        new Stage1Tables(
            memory.asSlice((long) page * PAGE, TABLE_PAGES * PAGE), address(page), inputBits);
    IovaRange messages = Machine.interruptWindow();
    made.map(
        messages.first(),
        messages.first(),
        messages.last() + 1 - messages.first(),
        PageFlag.DEVICE_MEMORY);
    return made;
  }

  private static Stage1Tables receiving(Stage1Tables made) {
    made.map(RECEIVED, pageAddress(RECEIVED_PAGE), PAGE);
    return made;
  }

  /** Writes one of the guest's context descriptors. */
  void describe(int descriptor, Stage1Tables described, int asid) {
    ContextDescriptor.of(described, asid).write(memory, (long) descriptor * ContextDescriptor.SIZE);
  }

  void clearDescriptor() {
    ContextDescriptor.clear(memory, 0);
  }

  /** The page tables of the first descriptor, for attaching. */
  HwptNested nested() throws VfioException {
    return nested(device, 0);
  }

  HwptNested nested(CdevDevice of, int descriptor) throws VfioException {
    return viommu.allocateNested(
        of,
        ArmSmmuv3StreamTableEntry.translate(MEMORY + (long) descriptor * ContextDescriptor.SIZE));
  }

  MemorySegment received() {
    return page(RECEIVED_PAGE);
  }

  /** A page of the guest's memory that holds nothing else, from 0 to 14, or the last one. */
  MemorySegment page(int index) {
    return memory.asSlice((long) (DATA + index) * PAGE, PAGE);
  }

  /** The guest's address of such a page. */
  static long pageAddress(int index) {
    return address(DATA + index);
  }

  /** Takes the last page from the guest. */
  void loseLastPage() throws VfioException {
    ioas.unmap(pageAddress(LAST), PAGE);
  }

  /** Fills a page with bytes that no other page has, and returns a copy of them. */
  MemorySegment fill(int index) {
    EduDma.fill(page(index), index);
    return MemorySegment.ofArray(page(index).toArray(JAVA_BYTE));
  }

  private static long address(int page) {
    return MEMORY + (long) page * PAGE;
  }

  @Override
  public void close() throws VfioException {
    iommufd.close();
  }
}
