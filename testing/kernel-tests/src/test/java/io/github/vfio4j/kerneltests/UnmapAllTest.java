package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Everything can be unmapped at once, and the address space is then as new. */
@OnMachine("intel")
class UnmapAllTest extends EduTests {
  @EachBackend
  void nothingIsReachedOrPinnedAfterwards(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = EduDma.page(arena, 1);
      space.unmapAll();
      space.map(memory, IOVA, READ_WRITE);
      space.map(memory, (1L << Edu.ADDRESS_BITS) - PAGE, READ_WRITE);
      DmaMapping mapping = space.map(memory, READ_WRITE);
      DmaBuffer buffer = space.allocate(PAGE);
      EduDma.toDevice(edu, IOVA);

      space.unmapAll();

      assertThat(LockedMemory.bytes()).isZero();
      memory.fill((byte) 0);
      EduDma.fromDevice(edu, IOVA);
      EduDma.fromDevice(edu, mapping.iova());
      EduDma.fromDevice(edu, buffer.iova());
      assertThat(memory.mismatch(EduDma.pages(arena, 1))).isEqualTo(-1);
      assertThat(buffer.segment().mismatch(memory)).isEqualTo(-1);
      assertThatIllegalArgumentException().isThrownBy(() -> space.unmap(IOVA, PAGE));
      space.map(memory, IOVA, READ_WRITE);
      mapping.close();
      buffer.close();
      EduDma.fromDevice(edu, IOVA);
      assertThat(memory.mismatch(EduDma.page(arena, 1))).isEqualTo(-1);
    }
  }
}
