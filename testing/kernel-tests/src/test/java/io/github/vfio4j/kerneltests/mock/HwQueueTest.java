package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.iommufd.HwQueue;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockData;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Queues that the hardware reads by itself hold their memory, and end in their order. */
@OnMachine(value = "bare", since = "7.0")
class HwQueueTest {
  private static final int TYPE = MockData.HW_QUEUE;

  @Test
  void queueHoldsItsMemoryAndTheQueuesBeforeIt() throws IOException {
    try (Arena arena = Arena.ofConfined();
        VirtualMachine guest = VirtualMachine.start()) {
      Viommu viommu = guest.viommu();
      Ioas ioas = guest.space().ioas();
      MemorySegment memory = Memory.pages(arena, 2);
      long unmapped = guest.space().base();
      assertRefused(
          UnsupportedByKernelException.class,
          Errno.EOPNOTSUPP,
          () -> viommu.allocateHwQueue(0, 0, unmapped, PAGE));
      assertRefused(Errno.EINVAL, () -> viommu.allocateHwQueue(TYPE, 0, unmapped, 0));
      assertRefused(Errno.EOVERFLOW, () -> viommu.allocateHwQueue(TYPE, 0, -1, PAGE));
      assertRefused(Errno.ENOENT, () -> viommu.allocateHwQueue(TYPE, 0, unmapped, PAGE));
      DmaMapping first = ioas.map(memory.asSlice(0, PAGE), READ_WRITE);
      DmaMapping second = ioas.map(memory.asSlice(PAGE, PAGE), READ_WRITE);
      long iova = first.iova();
      assertRefused(Errno.EIO, () -> viommu.allocateHwQueue(TYPE, 1, iova, PAGE));
      assertRefused(
          Errno.EINVAL, () -> viommu.allocateHwQueue(TYPE, MockData.HW_QUEUES, iova, PAGE));

      HwQueue queue = viommu.allocateHwQueue(TYPE, 0, iova, PAGE);
      assertThat(queue.index()).isZero();
      assertRefused(Errno.EEXIST, () -> viommu.allocateHwQueue(TYPE, 0, iova, PAGE));
      assertRefused(DeviceBusyException.class, Errno.EBUSY, first::close);
      assertThat(guest.space().seen(iova, memory.asSlice(0, PAGE))).isTrue();
      second.close();
      HwQueue next = viommu.allocateHwQueue(TYPE, 1, iova + PAGE / 2, PAGE / 2);
      assertRefused(DeviceBusyException.class, Errno.EBUSY, queue::close);
      assertRefused(DeviceBusyException.class, Errno.EBUSY, first::close);

      next.close();
      queue.close();
      queue.close();
      first.close();
      assertThat(guest.space().mock().pinned(memory, 0)).isTrue();
    }
  }

  @Test
  void queuesEndWithTheirViommuTheLastOneFirst() throws IOException {
    try (Arena arena = Arena.ofConfined();
        VirtualMachine guest = VirtualMachine.start()) {
      DmaMapping mapping = guest.space().ioas().map(Memory.pages(arena, 1), READ_WRITE);
      guest.viommu().allocateHwQueue(TYPE, 0, mapping.iova(), PAGE);
      guest.viommu().allocateHwQueue(TYPE, 1, mapping.iova(), PAGE);

      guest.viommu().close();

      mapping.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> guest.viommu().allocateHwQueue(TYPE, 0, mapping.iova(), PAGE));
    }
  }
}
