package io.github.vfio4j.mock;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.MemorySegment;

/**
 * An access of the kernel to what is mapped in an address space, as of a driver for a mediated
 * device: without an IOMMU, through the processor.
 */
public final class MockAccess implements AutoCloseable {
  private static final int PINS = 1;
  private static final int WRITE = 1;
  private static final int SLOW = 1 << 2;

  private final Mock mock;
  private final int descriptor;
  private boolean closed;

  private MockAccess(Mock mock, int descriptor) {
    this.mock = mock;
    this.descriptor = descriptor;
  }

  /**
   * Makes an access that reads and writes.
   *
   * @param mock where
   * @param ioas the address space
   * @return the access; the mock owns it
   * @throws VfioException if the kernel refuses
   */
  public static MockAccess copying(Mock mock, Ioas ioas) throws VfioException {
    return make(mock, ioas, 0);
  }

  /**
   * Makes an access that can pin pages too.
   *
   * @param mock where
   * @param ioas the address space
   * @return the access; the mock owns it
   * @throws VfioException if the kernel refuses
   */
  public static MockAccess pinning(Mock mock, Ioas ioas) throws VfioException {
    return make(mock, ioas, PINS);
  }

  private static MockAccess make(Mock mock, Ioas ioas, int flags) throws VfioException {
    int descriptor =
        new MockCommand(MockOperation.CREATE_ACCESS, ioas.id()).with(4, flags).run(mock).at(0);
    MockAccess access = new MockAccess(mock, descriptor);
    mock.own(access);
    return access;
  }

  /**
   * Pins pages for writing, if they are those of some memory.
   *
   * @param iova where they are mapped
   * @param memory the memory that has to be behind it
   * @return what names them in {@link #unpin}
   * @throws VfioException if the kernel refuses; errno 52 says that it is not that memory
   */
  public int pin(long iova, MemorySegment memory) throws VfioException {
    return new MockCommand(MockOperation.ACCESS_PAGES, descriptor)
        .with(0, WRITE)
        .with(8, iova)
        .with(16, memory.byteSize())
        .with(24, memory.address())
        .run(mock)
        .at(4);
  }

  /**
   * Unpins pages.
   *
   * @param pages what {@link #pin} returned
   * @throws VfioException if the kernel refuses; ENOENT says that they are not pinned any more
   */
  public void unpin(int pages) throws VfioException {
    new MockCommand(MockOperation.DESTROY_ACCESS_PAGES, descriptor).with(0, pages).run(mock);
  }

  /**
   * Copies what is mapped.
   *
   * @param iova where it is mapped
   * @param target where it goes, all of it
   * @throws VfioException if the kernel refuses
   */
  public void read(long iova, MemorySegment target) throws VfioException {
    copy(iova, target, 0);
  }

  /**
   * Copies what is mapped, as {@link #read} does, by pinning instead of through this process's
   * addresses.
   *
   * @param iova where it is mapped
   * @param target where it goes, all of it
   * @throws VfioException if the kernel refuses
   */
  public void readSlowly(long iova, MemorySegment target) throws VfioException {
    copy(iova, target, SLOW);
  }

  /**
   * Writes what is mapped.
   *
   * @param iova where it is mapped
   * @param source what to write, all of it
   * @throws VfioException if the kernel refuses
   */
  public void write(long iova, MemorySegment source) throws VfioException {
    copy(iova, source, WRITE);
  }

  /**
   * Writes what is mapped, as {@link #write} does, by pinning.
   *
   * @param iova where it is mapped
   * @param source what to write, all of it
   * @throws VfioException if the kernel refuses
   */
  public void writeSlowly(long iova, MemorySegment source) throws VfioException {
    copy(iova, source, WRITE | SLOW);
  }

  private void copy(long iova, MemorySegment memory, int flags) throws VfioException {
    new MockCommand(MockOperation.ACCESS_RW, descriptor)
        .with(0, iova)
        .with(8, memory.byteSize())
        .with(16, memory.address())
        .with(24, flags)
        .run(mock);
  }

  /**
   * Goes over to another address space; what was pinned is not any more.
   *
   * @param next the address space
   * @throws VfioException if the kernel refuses
   */
  public void replace(Ioas next) throws VfioException {
    new MockCommand(MockOperation.ACCESS_REPLACE_IOAS, descriptor).with(0, next.id()).run(mock);
  }

  /**
   * Ends the access and unpins what it has pinned. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses
   */
  @Override
  public void close() throws VfioException {
    if (closed) {
      return;
    }
    closed = true;
    mock.disown(this);
    int answer = Kernel.running().close(descriptor);
    if (answer < 0) {
      throw new VfioException("close", "mock access", new Errno(-answer), "");
    }
  }
}
