package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.event.EventDispatcher.Registration;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.PageResponse;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Queues of page faults are made and ended here; only other IOMMUs put faults into them. */
@OnMachine(value = "intel", since = "6.11")
class FaultQueueTest extends EduTests {
  @Test
  void emptyQueueAnswersWhenTheTimeIsOver() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      FaultQueue queue = iommufd.allocateFaultQueue();
      assertThat(queue.await(Duration.ZERO)).isEmpty();
      long start = System.nanoTime();
      assertThat(queue.await(Duration.ofMillis(50))).isEmpty();
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(50_000_000);
      assertThatIllegalArgumentException().isThrownBy(() -> queue.await(Duration.ofNanos(-1)));
      assertThatThrownBy(() -> queue.respond(42, PageResponse.SUCCESS))
          .isInstanceOfSatisfying(
              VfioException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("write");
                assertThat(e.errno()).contains(Errno.EINVAL);
                assertThat(e).hasMessageContaining("cookie 42");
              });

      queue.close();
      queue.close();
      assertThatIllegalStateException().isThrownBy(() -> queue.await(Duration.ZERO));
      assertThatIllegalStateException().isThrownBy(() -> queue.respond(42, PageResponse.SUCCESS));
    }
  }

  @Test
  void closingWakesTheWaiters() throws Exception {
    try (var threads = Executors.newCachedThreadPool();
        Iommufd iommufd = Iommufd.open()) {
      FaultQueue queue = iommufd.allocateFaultQueue();
      Future<?> one = threads.submit(() -> assertEnds(queue));
      Future<?> two = threads.submit(() -> assertEnds(queue));
      Thread.sleep(200);
      assertThat(one.isDone()).isFalse();

      queue.close();

      one.get(60, SECONDS);
      two.get(60, SECONDS);
    }
  }

  private static void assertEnds(FaultQueue queue) {
    assertThatIllegalStateException()
        .isThrownBy(() -> queue.await(Duration.ofSeconds(90)))
        .withMessageContaining("is closed");
  }

  @Test
  void closingTheIommufdWakesTheWaiters() throws Exception {
    Iommufd iommufd = Iommufd.open();
    try (var threads = Executors.newCachedThreadPool();
        iommufd) {
      FaultQueue queue = iommufd.allocateFaultQueue();
      Future<?> waiter = threads.submit(() -> assertEnds(queue));
      Thread.sleep(200);

      iommufd.close();

      waiter.get(60, SECONDS);
      assertThatIllegalStateException().isThrownBy(iommufd::allocateFaultQueue);
    }
  }

  @Test
  void closedQueueLeavesTheDispatcher() throws Exception {
    try (Iommufd iommufd = Iommufd.open();
        EventDispatcher dispatcher = EventDispatcher.start()) {
      FaultQueue queue = iommufd.allocateFaultQueue();
      Registration registration = dispatcher.register(queue, (source, faults) -> {});
      assertThatThrownBy(() -> dispatcher.register(queue, (source, faults) -> {}))
          .isInstanceOf(DeviceBusyException.class)
          .hasMessageContaining("has a handler already");

      queue.close();

      registration.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> dispatcher.register(queue, (source, faults) -> {}));
      FaultQueue other = iommufd.allocateFaultQueue();
      dispatcher.register(other, (source, faults) -> {});
    }
  }

  /** Older drivers of VT-d make no page table for a queue. */
  @Test
  @OnMachine(since = "7.0")
  void pageTableEndsWithItsQueue() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      FaultQueue queue = iommufd.allocateFaultQueue();
      HwptPaging hwpt = ioas.allocateHwpt(device, queue);

      queue.close();

      assertThatIllegalStateException().isThrownBy(() -> device.attach(hwpt));
      assertThatIllegalStateException().isThrownBy(() -> ioas.allocateHwpt(device, queue));
      hwpt.close();
      ioas.close();
    }
  }

  /** VT-d takes such a page table only for devices that ask for pages. */
  @Test
  @OnMachine(since = "7.0")
  void deviceWithoutPageRequestsIsNotAttached() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      HwptPaging hwpt = ioas.allocateHwpt(device, iommufd.allocateFaultQueue());

      assertThatThrownBy(() -> device.attach(hwpt))
          .isInstanceOf(UnsupportedByKernelException.class)
          .hasMessageContaining("VFIO_DEVICE_ATTACH_IOMMUFD_PT on " + device + " to " + hwpt)
          .hasMessageContaining("cannot ask for pages");
      assertThat(device.attached()).isEmpty();
      device.attach(ioas);
      MemorySegment memory = EduDma.page(arena, 1);
      ioas.map(memory, IOVA, READ_WRITE);
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);
        memory.fill((byte) 0);
        EduDma.fromDevice(edu, IOVA);
      }
      assertThat(memory.mismatch(EduDma.page(arena, 1))).isEqualTo(-1);
    }
  }

  /** VT-d's driver leaves the device blocked, and the kernel takes attaching for done already. */
  @Test
  @OnMachine(since = "7.0")
  void deviceIsDetachedAndAttachedAgainAfterARefusedReplacement() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      HwptPaging hwpt = ioas.allocateHwpt(device, iommufd.allocateFaultQueue());
      MemorySegment memory = EduDma.page(arena, 1);
      ioas.map(memory, IOVA, READ_WRITE);
      device.attach(ioas);

      assertThatThrownBy(() -> device.attach(hwpt))
          .isInstanceOf(UnsupportedByKernelException.class);

      assertThat(device.attached()).containsSame(ioas);
      device.detach();
      device.attach(ioas);
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);
        memory.fill((byte) 0);
        EduDma.fromDevice(edu, IOVA);
      }
      assertThat(memory.mismatch(EduDma.page(arena, 1))).isEqualTo(-1);
    }
  }
}
