package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The pages behind a mapping and its copies, known by address until they are looked up. */
final class FakePages {
  private static final long CHUNK = 1 << 20;

  private final MemorySegment memory;
  private @Nullable Long firstWord;

  /** Takes where they are; a file's are nowhere in this process. */
  @SuppressWarnings("restricted") // it is the kernel that reads it, and says where nothing is
  FakePages(long address, long size) {
    memory = MemorySegment.ofAddress(address).reinterpret(size);
  }

  static FakePages ofFile() {
    return new FakePages(0, 0);
  }

  /** Looks the pages up, once, and answers as the kernel does where they are not there. */
  int lookUp(Kernel real) {
    if (memory.byteSize() == 0 || firstWord != null) {
      return 0;
    }
    int copy = real.memfdCreate("pages", 0);
    try (Arena arena = Arena.ofConfined()) {
      for (long end = memory.byteSize(), start; end > 0; end = start) { // the first stays there
        start = (end - 1) / CHUNK * CHUNK;
        if (real.pwrite(copy, memory.asSlice(start, end - start), 0) != end - start) {
          return -Errno.EFAULT.number();
        }
      }
      MemorySegment word = arena.allocate(JAVA_LONG);
      real.pread(copy, word, 0);
      firstWord = word.get(JAVA_LONG, 0);
      return 0;
    } finally {
      real.close(copy);
    }
  }

  /** Returns the first eight bytes as they were found, or null before they were looked up. */
  @Nullable Long firstWord() {
    return firstWord;
  }
}
