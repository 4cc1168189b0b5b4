package io.github.vfio4j.vmm.memory;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.vmm.kvm.MemorySlot;
import io.github.vfio4j.vmm.kvm.MemorySlots;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The memory of a guest: files in memory, each seen by the guest in one piece. Bytes are copied
 * here by the guest's physical addresses. Thread-safe.
 */
public final class GuestMemory implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(GuestMemory.class.getName());
  private static final long HUGE_PAGE = 2 << 20;

  /** Bytes that a bit stands for where it is told which pages were written. */
  public static final long PAGE = 4096;

  private final List<Block> blocks = new ArrayList<>();
  private final List<IoAddressSpace> spaces = new ArrayList<>();

  /** Whether it is noted which pages are written. */
  private boolean logging;

  /** Tells which pages others than processors and this process have written. */
  @FunctionalInterface
  public interface OtherWriters {
    /** Sets the bits of pages that were written, in a bitmap for each piece of memory. */
    void readAndClear(List<DirtyBitmap> memory) throws VfioException;
  }

  /**
   * Memory in one piece, with the address spaces that it is mapped in, and those of its pages that
   * are known to have been written and that nobody was told of yet.
   */
  private record Block(
      long address,
      MemoryFile file,
      MemorySlot slot,
      List<IoAddressSpace> mapped,
      DirtyBitmap written) {
    boolean holds(long first, long size) {
      return first >= address && size <= file.size() && first - address <= file.size() - size;
    }

    IovaRange range() {
      return new IovaRange(address, address + (file.size() - 1));
    }

    void addAll() {
      written.add(address, file.size());
    }
  }

  /**
   * Adds memory, which is zeroed.
   *
   * @param address where the guest sees it, a multiple of the page size
   * @param size bytes, whole pages
   */
  public synchronized void add(MemorySlots slots, long address, long size) throws VfioException {
    String name = "guest at 0x%x".formatted(address);
    try (Rollback rollback = new Rollback()) {
      MemoryFile file = rollback.make(() -> file(name, size), MemoryFile::close);
      MemorySlot slot =
          rollback.make(
              () -> slots.map(address, file.segment(), file.size(), file), MemorySlot::close);
      Block block = new Block(address, file, slot, new ArrayList<>(), pages(address, file.size()));
      if (logging) {
        slot.setLogging(true);
        block.addAll();
      }
      for (IoAddressSpace space : spaces) {
        rollback.add(() -> unmap(block, space));
        map(block, space);
      }
      blocks.add(rollback.done(block));
    }
  }

  /** On huge pages, where so many have been set aside: fewer entries for processors and IOMMU. */
  private static MemoryFile file(String name, long size) throws VfioException {
    if (size % HUGE_PAGE == 0) {
      try {
        return MemoryFile.createHuge(name, size, HUGE_PAGE);
      } catch (VfioException e) {
        LOGGER.log(Level.DEBUG, "the guest has ordinary pages", e);
      }
    }
    return MemoryFile.create(name, size);
  }

  /**
   * Takes memory away, from devices first. All is tried; what the kernel refuses to take away stays
   * as it is.
   *
   * @throws IllegalArgumentException if none was added at the address
   */
  public synchronized void remove(long address) throws VfioException {
    Block removed =
        blocks.stream()
            .filter(block -> block.address() == address)
            .findFirst()
            .orElseThrow(
                () -> new IllegalArgumentException("no memory at 0x%x".formatted(address)));
    Closing closing = new Closing();
    for (IoAddressSpace space : List.copyOf(removed.mapped())) {
      closing.attempt(() -> unmap(removed, space));
    }
    if (removed.mapped().isEmpty()) {
      closing.attempt(
          () -> {
            removed.slot().close();
            removed.file().close();
            blocks.remove(removed);
          });
    }
    closing.rethrow();
  }

  /**
   * Lets devices reach the memory at the addresses where the guest sees it: what is there now, and
   * what is added later.
   *
   * @param space where the devices do their DMA
   */
  public synchronized void share(IoAddressSpace space) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      for (Block block : blocks) {
        rollback.add(() -> unmap(block, space));
        map(block, space);
      }
      spaces.add(space);
      rollback.done(space);
    }
  }

  /** Ends {@link #share}, for an address space that is about to be closed. */
  public synchronized void forget(IoAddressSpace space) {
    spaces.remove(space);
    blocks.forEach(block -> block.mapped().remove(space));
  }

  /** By the file where the kernel can, so that the mapping outlives this process's view of it. */
  private static void map(Block block, IoAddressSpace space) throws VfioException {
    if (space instanceof Ioas ioas) {
      try {
        ioas.mapFile(block.file(), 0, block.address(), block.file().size(), DmaAccess.READ_WRITE);
        block.mapped().add(space);
        return;
      } catch (UnsupportedByKernelException e) {
        // before Linux 6.14: by its address in this process
      }
    }
    space.map(block.file().segment(), block.address(), DmaAccess.READ_WRITE);
    block.mapped().add(space);
  }

  private static void unmap(Block block, IoAddressSpace space) throws VfioException {
    if (block.mapped().contains(space)) {
      space.unmap(block.address(), block.file().size());
      block.mapped().remove(space);
    }
  }

  private Block block(long address, long size) {
    return blocks.stream()
        .filter(block -> block.holds(address, size))
        .findFirst()
        .orElseThrow(
            () ->
                new IndexOutOfBoundsException(
                    "the guest has no memory of 0x%x bytes at 0x%x".formatted(size, address)));
  }

  /**
   * Copies bytes into the memory.
   *
   * @throws IndexOutOfBoundsException if the guest has no memory there, or not in one piece
   */
  public void write(long address, byte[] bytes) {
    write(address, ByteBuffer.wrap(bytes));
  }

  /** Copies the rest of a buffer into the memory, as {@link #write(long, byte[])}. */
  public synchronized void write(long address, ByteBuffer bytes) {
    int size = bytes.remaining();
    Block block = block(address, size);
    block
        .file()
        .segment()
        .asSlice(address - block.address(), size)
        .copyFrom(MemorySegment.ofBuffer(bytes));
    if (logging) {
      block.written().add(address, size);
    }
  }

  /** Returns where the guest has memory. */
  public synchronized List<IovaRange> ranges() {
    return blocks.stream().map(Block::range).toList();
  }

  /**
   * Begins to note which pages processors and this process write, also in memory that is added
   * later, which counts as written at first.
   */
  public synchronized void startLogging() throws VfioException {
    try (Rollback rollback = new Rollback()) {
      rollback.add(this::stopLogging);
      for (Block block : blocks) {
        block.slot().setLogging(true);
        block.written().clear();
      }
      logging = true;
      rollback.done(this);
    }
  }

  /** Ends what {@link #startLogging} began; all is tried. */
  public synchronized void stopLogging() throws VfioException {
    logging = false;
    Closing closing = new Closing();
    for (Block block : blocks) {
      closing.attempt(() -> block.slot().setLogging(false));
    }
    closing.rethrow();
  }

  /**
   * Returns which pages were written since the last reading, and forgets it. All count as written
   * at the next reading if this throws.
   *
   * @param others who else writes
   * @return a bitmap for each piece of memory, by address
   */
  public synchronized List<DirtyBitmap> readAndClear(OtherWriters others) throws VfioException {
    boolean done = false;
    try {
      for (Block block : blocks) {
        block.slot().readAndClear(block.written());
      }
      others.readAndClear(blocks.stream().map(Block::written).toList());
      List<DirtyBitmap> read = new ArrayList<>();
      for (Block block : blocks) {
        DirtyBitmap pages = pages(block.address(), block.file().size());
        pages.add(block.written());
        read.add(pages);
      }
      read.sort(Comparator.comparingLong(DirtyBitmap::iova));
      blocks.forEach(block -> block.written().clear());
      done = true;
      return read;
    } finally {
      if (!done) {
        addAll(); // what was read of some is forgotten by those who told it
      }
    }
  }

  /** Counts all pages as written. */
  public synchronized void addAll() {
    blocks.forEach(Block::addAll);
  }

  private static DirtyBitmap pages(long address, long size) {
    return new DirtyBitmap(address, size, PAGE);
  }

  /** Gives the memory back; the guest sees it no more. */
  @Override
  public synchronized void close() throws VfioException {
    Closing closing = new Closing();
    for (Block block : blocks) {
      closing.attempt(block.file()::close);
    }
    closing.rethrow();
  }
}
