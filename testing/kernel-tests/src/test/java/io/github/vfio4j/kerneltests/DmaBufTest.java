package io.github.vfio4j.kerneltests;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.dmabuf.DmaBuf;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** A dma-buf that processes may map is read: the kernel makes one of ordinary memory. */
@OnMachine(value = "intel/legacy", since = "6.6")
@Bound(Device.EDU)
class DmaBufTest {
  private static final int PAGE = EduDma.PAGE;
  private static final int O_RDWR = 2;
  private static final int UDMABUF_CREATE = 0x40187542;

  /** Makes the second and third page of a file a dma-buf. */
  private static int create(MemoryFile memory) {
    Kernel kernel = Kernel.running();
    int maker = kernel.open("/dev/udmabuf", O_RDWR);
    assertThat(maker).isPositive();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(24, 8);
      request.set(JAVA_INT, 0, memory.fd());
      request.set(JAVA_INT, 4, 1); // closed in other programs
      request.set(JAVA_LONG, 8, PAGE);
      request.set(JAVA_LONG, 16, 2L * PAGE);
      return kernel.ioctl(maker, UDMABUF_CREATE, request);
    } finally {
      kernel.close(maker);
    }
  }

  @Test
  void readsWhatIsInIt() throws IOException {
    try (VfioDevice edu = VfioDevice.open(Machine.EDU);
        MemoryFile memory = MemoryFile.create("frame", 4L * PAGE);
        DmaBuf file = DmaBuf.open(OpenDevice.of(edu), "frame", 2L * PAGE, () -> create(memory))) {
      EduDma.fill(memory.segment(), 1);
      MemorySegment within = memory.segment().asSlice(PAGE, 2L * PAGE);
      byte[] seen = new byte[PAGE + 5];

      file.read(3, MemorySegment.ofArray(seen));
      assertThat(MemorySegment.ofArray(seen).mismatch(within.asSlice(3, seen.length)))
          .isEqualTo(-1);

      MappedRegion mapped = file.map();
      EduDma.fill(memory.segment(), 2);
      file.read(mapped, 0, MemorySegment.ofArray(seen));
      assertThat(MemorySegment.ofArray(seen).mismatch(within.asSlice(0, seen.length)))
          .isEqualTo(-1);
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(() -> mapped.setInt(0, 1));
    }
  }

  @Test
  void partsBeyondItAreRefused() throws VfioException {
    try (VfioDevice edu = VfioDevice.open(Machine.EDU);
        MemoryFile memory = MemoryFile.create("frame", 4L * PAGE);
        DmaBuf file = DmaBuf.open(OpenDevice.of(edu), "frame", 2L * PAGE, () -> create(memory))) {
      for (long offset : new long[] {-1, PAGE + 1, Long.MAX_VALUE}) {
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
            .isThrownBy(() -> file.read(offset, MemorySegment.ofArray(new byte[PAGE])));
      }
    }
  }
}
