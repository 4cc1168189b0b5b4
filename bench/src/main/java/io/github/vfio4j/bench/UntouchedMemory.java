package io.github.vfio4j.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Memory whose pages are not there yet, as no memory of Java's own is. */
final class UntouchedMemory implements AutoCloseable {
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final int MADV_HUGEPAGE = 14;

  private static final MethodHandle MMAP =
      function("mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle MADVISE =
      function("madvise", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle MUNMAP = function("munmap", JAVA_INT, ADDRESS, JAVA_LONG);

  private final MemorySegment whole;
  private final MemorySegment segment;

  private UntouchedMemory(MemorySegment whole, MemorySegment segment) {
    this.whole = whole;
    this.segment = segment;
  }

  @SuppressWarnings("restricted") // the descriptors are those of the C library
  private static MethodHandle function(
      String name, MemoryLayout answer, MemoryLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(answer, arguments));
  }

  /**
   * Maps memory that begins with a huge page.
   *
   * @param transparent whether it shall be on huge pages
   */
  @SuppressWarnings("restricted") // reinterpreted to what mmap gave
  static UntouchedMemory map(long size, boolean transparent) {
    long mapped = size + HugePages.SIZE;
    try {
      MemorySegment answer =
          (MemorySegment)
              MMAP.invokeExact(
                  MemorySegment.NULL, mapped, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      require(answer.address() != -1, "mmap");
      MemorySegment whole = answer.reinterpret(mapped);
      MemorySegment segment = whole.asSlice(-answer.address() & HugePages.SIZE - 1, size);
      require(
          !transparent || (int) MADVISE.invokeExact(segment, size, MADV_HUGEPAGE) == 0, "madvise");
      return new UntouchedMemory(whole, segment);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static void require(boolean done, String what) {
    if (!done) {
      throw new IllegalStateException(what + " was refused");
    }
  }

  MemorySegment segment() {
    return segment;
  }

  @Override
  public void close() {
    try {
      require((int) MUNMAP.invokeExact(whole, whole.byteSize()) == 0, "munmap");
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
