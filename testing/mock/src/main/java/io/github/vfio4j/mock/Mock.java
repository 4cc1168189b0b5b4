package io.github.vfio4j.mock;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * An iommufd and the kernel's mock IOMMU behind it.
 *
 * <p>It owns its {@link MockDevice}s and {@link MockAccess}es, which have to end before what they
 * use. For one thread.
 */
public final class Mock implements AutoCloseable {
  /** The first address that a mock device can see. */
  public static final long APERTURE_FIRST = 1L << 24;

  /** The last address that a mock device can see. */
  public static final long APERTURE_LAST = (1L << 31) - 1;

  /** The smallest page of a mock page table, smaller than the processor's. */
  public static final int PAGE = 2048;

  /** How much memory the kernel takes for lists of pages unless it is limited. */
  public static final int MEMORY_LIMIT = 65536;

  private static final String NODE = "/dev/iommu";
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;

  private final int descriptor;
  private final Iommufd iommufd;
  private final Deque<AutoCloseable> children = new ArrayDeque<>();
  private boolean limited;
  private boolean closed;

  private Mock(int descriptor, Iommufd iommufd) {
    this.descriptor = descriptor;
    this.iommufd = iommufd;
  }

  /**
   * Opens {@code /dev/iommu}.
   *
   * @return the iommufd with its mock IOMMU; the caller closes it
   * @throws VfioException if the kernel refuses
   */
  public static Mock open() throws VfioException {
    int descriptor = Kernel.running().open(NODE, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) {
      throw new VfioException("open", NODE, new Errno(-descriptor), "");
    }
    try {
      return new Mock(descriptor, Iommufd.ofFd(descriptor));
    } catch (VfioException | RuntimeException e) {
      Kernel.running().close(descriptor);
      throw e;
    }
  }

  /**
   * Returns the library's view of it.
   *
   * @return the iommufd, which ends with this
   */
  public Iommufd iommufd() {
    return iommufd;
  }

  /**
   * Returns the number of the open file, for calls that the library does not make.
   *
   * @return the descriptor
   */
  public int descriptor() {
    return descriptor;
  }

  /** Takes something into ownership that ends before the iommufd. */
  void own(AutoCloseable child) {
    children.push(child);
  }

  void disown(AutoCloseable child) {
    children.remove(child);
  }

  /**
   * Reserves a range of an address space, as a device with a reserved region does.
   *
   * @param ioas the address space
   * @param first where the range starts
   * @param length bytes of the range
   * @throws VfioException if the kernel refuses
   */
  public void reserve(Ioas ioas, long first, long length) throws VfioException {
    new MockCommand(MockOperation.ADD_RESERVED, ioas.id()).with(0, first).with(8, length).run(this);
    ioas.refreshRanges();
  }

  /**
   * Returns whether a page table leads to memory of this process.
   *
   * @param table the page table
   * @param iova where it shall lead there from
   * @param memory the memory, whole pages
   * @return whether every page is where it shall be
   * @throws VfioException if the kernel refuses
   */
  public boolean maps(HwptPaging table, long iova, MemorySegment memory) throws VfioException {
    return maps(table.id(), iova, memory);
  }

  boolean maps(int table, long iova, MemorySegment memory) throws VfioException {
    return new MockCommand(MockOperation.MD_CHECK_MAP, table)
        .with(0, iova)
        .with(8, memory.byteSize())
        .with(16, memory.address())
        .holds(this, Errno.EINVAL);
  }

  /**
   * Returns whether each page of some memory is pinned a number of times. Huge pages are not looked
   * at.
   *
   * @param memory the memory, whole pages
   * @param times how often
   * @return whether each is pinned as often
   * @throws VfioException if the kernel refuses
   */
  public boolean pinned(MemorySegment memory, int times) throws VfioException {
    return new MockCommand(MockOperation.MD_CHECK_REFS)
        .with(0, memory.byteSize())
        .with(8, memory.address())
        .with(16, times)
        .holds(this, Errno.EIO);
  }

  /**
   * Limits the memory that the kernel takes for lists of pages, of all iommufds, so that it works
   * in small pieces. Closing this lifts the limit.
   *
   * @param bytes the limit, {@link #MEMORY_LIMIT} for the usual one
   * @throws VfioException if the kernel refuses
   */
  public void limitMemory(int bytes) throws VfioException {
    new MockCommand(MockOperation.SET_TEMP_MEMORY_LIMIT).with(0, bytes).run(this);
    limited = bytes != MEMORY_LIMIT;
  }

  /**
   * Has the IOMMU note that a device has written pages.
   *
   * @param table the page table, which collects dirty bits
   * @param iova the first page
   * @param length bytes of the range
   * @param pageSize bytes that one bit stands for
   * @param bits which pages
   * @return how many pages are noted
   * @throws VfioException if the kernel refuses
   */
  public long write(HwptPaging table, long iova, long length, long pageSize, MemorySegment bits)
      throws VfioException {
    return new MockCommand(MockOperation.DIRTY, table.id())
        .with(8, iova)
        .with(16, length)
        .with(24, pageSize)
        .with(32, bits.address())
        .run(this)
        .longAt(40);
  }

  /**
   * Returns whether an entry of what the IOMMU has cached of a nested page table has a value.
   *
   * @param table the page table
   * @param entry which entry, from 0 to 3
   * @param value the value; 0 stands for an entry that was invalidated
   * @return whether it has it
   * @throws VfioException if the kernel refuses
   */
  public boolean cached(HwptNested table, int entry, int value) throws VfioException {
    return new MockCommand(MockOperation.MD_CHECK_IOTLB, table.id())
        .with(0, entry)
        .with(4, value)
        .holds(this, Errno.EINVAL);
  }

  /**
   * Ends what was made here, the youngest first, and closes the file.
   *
   * @throws VfioException if something is in use that is not of here
   */
  @Override
  public void close() throws VfioException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      if (limited) {
        limitMemory(MEMORY_LIMIT);
      }
      while (!children.isEmpty()) {
        children.peek().close();
      }
      iommufd.close();
    } catch (VfioException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      Kernel.running().close(descriptor);
    }
  }
}
