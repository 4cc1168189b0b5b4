package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.RlimitMode;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Objects of an iommufd refuse what comes too late or from elsewhere, and close under all use. */
@OnMachine(value = "intel", since = "6.11")
class IommufdClosingTest extends EduTests {
  private static final int ROUNDS = 3;

  private interface Use {
    void run() throws IOException;
  }

  private static void refuses(Use... uses) {
    for (Use use : uses) {
      assertThatIllegalStateException().isThrownBy(use::run).withMessageContaining("is closed");
    }
  }

  @Test
  void closedIommufdRefusesEveryUse() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Iommufd iommufd = Iommufd.open();
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      HwptPaging hwpt = ioas.allocateHwpt(device);
      FaultQueue queue = iommufd.allocateFaultQueue();
      device.attach(hwpt);
      iommufd.close();
      iommufd.close();

      refuses(iommufd::allocateIoas, iommufd::allocateFaultQueue, iommufd::rlimitMode);
      refuses(() -> iommufd.setRlimitMode(RlimitMode.USER), iommufd::compatibilityIoas);
      refuses(() -> iommufd.setCompatibilityIoas(ioas), iommufd::clearCompatibilityIoas);
      refuses(() -> Container.open(iommufd, Container.Type.TYPE1V2), () -> edu(iommufd));
      refuses(() -> device.attach(ioas), () -> device.attach(hwpt), () -> device.attach(ioas, 1));
      refuses(device::detach, device::hwInfo, () -> HwInfo.of(device));
      refuses(() -> ioas.allocateHwpt(device), () -> ioas.setHugePages(false), ioas::hugePages);
      refuses(() -> ioas.mapFile(0, 0, PAGE, READ), () -> ioas.copy(ioas, IOVA, PAGE, READ));
      refuses(ioas::unmapAll, () -> ioas.map(EduDma.pages(arena, 1), READ));
      refuses(() -> hwpt.setDirtyTracking(true), () -> hwpt.allocateViommu(device, 1));
      refuses(() -> queue.await(Duration.ofSeconds(1)));
      for (AutoCloseable closed : List.<AutoCloseable>of(device, ioas, hwpt, queue)) {
        assertThat(closed).satisfies(AutoCloseable::close);
      }
    }
  }

  /** Its number may be another's by now. */
  @Test
  void closedDeviceIsNotTakenForAnother() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      HwptPaging hwpt = ioas.allocateHwpt(edu(iommufd));
      CdevDevice gone = device(Machine.EDU_2, iommufd);
      gone.close();
      CdevDevice successor = device(Machine.EDU_2, iommufd);
      assertThat(successor.id()).isEqualTo(gone.id());

      refuses(() -> ioas.allocateHwpt(gone), gone::hwInfo, () -> gone.attach(ioas));
      refuses(() -> hwpt.allocateViommu(gone, 1));
      ioas.allocateHwpt(successor);
    }
  }

  @Test
  void queueOfAnotherIommufdIsRefused() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        Iommufd other = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      FaultQueue own = iommufd.allocateFaultQueue();
      FaultQueue strange = other.allocateFaultQueue();

      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.allocateHwpt(device, strange))
          .withMessageContaining("another iommufd");
      own.close();
      refuses(() -> ioas.allocateHwpt(device, own));
      ioas.close();
    }
  }

  /**
   * Closes an iommufd from two threads, under threads that use it until it says that it is closed.
   */
  @Test
  void closingEndsAllUse() throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      Iommufd iommufd = Iommufd.open();
      CdevDevice device = edu(iommufd);
      Ioas one = iommufd.allocateIoas();
      Ioas two = iommufd.allocateIoas();
      FaultQueue queue = iommufd.allocateFaultQueue();
      try (Arena arena = Arena.ofShared();
          var threads = Executors.newCachedThreadPool();
          iommufd) {
        one.map(EduDma.pages(arena, 1), IOVA, READ_WRITE);
        List<Use> uses =
            List.of(
                () -> {
                  device.attach(one);
                  device.attach(two);
                },
                () -> one.allocateHwpt(device).close(),
                () -> two.copy(one, IOVA, PAGE, READ).close(),
                () -> iommufd.allocateIoas().close(),
                () -> iommufd.allocateFaultQueue().close(),
                device::hwInfo,
                () -> queue.await(Duration.ofSeconds(100)));
        var started = new CountDownLatch(uses.size());
        List<Future<?>> ends = new ArrayList<>();
        for (Use use : uses) {
          ends.add(threads.submit(() -> useUntilClosed(use, started)));
        }
        assertThat(started.await(60, SECONDS)).isTrue();
        Thread.sleep(100);

        Callable<Void> closing =
            () -> {
              iommufd.close();
              return null;
            };
        Future<?> other = threads.submit(closing);
        closing.call();

        other.get(60, SECONDS);
        for (Future<?> end : ends) {
          end.get(60, SECONDS);
        }
      }
      assertThat(LockedMemory.bytes()).isZero();
    }
  }

  private static Void useUntilClosed(Use use, CountDownLatch started) throws IOException {
    started.countDown();
    try {
      while (true) {
        use.run();
      }
    } catch (IllegalStateException closed) {
      assertThat(closed).hasMessageContaining("is closed");
      return null;
    }
  }
}
