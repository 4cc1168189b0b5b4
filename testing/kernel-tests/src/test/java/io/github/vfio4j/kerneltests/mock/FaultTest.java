package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.PageFault;
import io.github.vfio4j.iommufd.PageResponse;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockData;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Page faults of a device arrive and are answered. */
@OnMachine(value = "bare", since = "7.0")
class FaultTest {
  private static final int READ = iommufd_h.IOMMU_PGFAULT_PERM_READ;
  private static final int WRITE = iommufd_h.IOMMU_PGFAULT_PERM_WRITE;
  private static final int EXECUTE = iommufd_h.IOMMU_PGFAULT_PERM_EXEC;
  private static final int PRIVILEGED = iommufd_h.IOMMU_PGFAULT_PERM_PRIV;
  private static final Duration LONG = Duration.ofSeconds(60);

  private MockSpace space;
  private MockDevice device;
  private FaultQueue faults;
  private HwptNested table;

  @BeforeEach
  void attach() throws VfioException {
    space = MockSpace.open(1);
    device = space.device();
    faults = space.iommufd().allocateFaultQueue();
    table =
        space
            .ioas()
            .allocateHwpt(device, HwptFlag.NEST_PARENT)
            .allocateNested(device, MockData.nested(0), faults);
    device.replace(table);
  }

  @AfterEach
  void end() throws VfioException {
    space.close();
  }

  private PageFault next() throws VfioException {
    List<PageFault> next = faults.await(LONG);
    assertThat(next).hasSize(1);
    return next.getFirst();
  }

  @Test
  void faultSaysWhoWantsWhatAndIsAnsweredOnce() throws IOException {
    assertThat(faults.await(Duration.ZERO)).isEmpty();
    device.requestPage(0, 2, READ | WRITE, 0xdeadb000L);

    PageFault fault = next();

    assertThat(fault.deviceId()).isEqualTo(device.id());
    assertThat(fault.pasid()).isEmpty();
    assertThat(fault.group()).isEqualTo(2);
    assertThat(fault.last()).isTrue();
    assertThat(fault.read()).isTrue();
    assertThat(fault.write()).isTrue();
    assertThat(fault.address()).isEqualTo(0xdeadb000L);
    assertThat(faults.await(Duration.ofMillis(1))).isEmpty();
    faults.respond(fault, PageResponse.SUCCESS);
    assertRefused(Errno.EINVAL, () -> faults.respond(fault, PageResponse.SUCCESS));
  }

  @Test
  void faultSaysThatItIsOfPrivilegedCode() throws IOException {
    device.requestPage(0, 0, READ, 0);
    PageFault ordinary = next();
    assertThat(ordinary.execute()).isFalse();
    assertThat(ordinary.privileged()).isFalse();

    device.requestPage(0, 1, EXECUTE, 0);
    PageFault executing = next();
    assertThat(executing.execute()).isTrue();
    assertThat(executing.privileged()).isFalse();

    device.requestPage(0, 2, PRIVILEGED, 0);
    PageFault privileged = next();
    assertThat(privileged.execute()).isFalse();
    assertThat(privileged.privileged()).isTrue();
    for (PageFault fault : List.of(ordinary, executing, privileged)) {
      faults.respond(fault, PageResponse.INVALID);
    }
  }

  @Test
  void faultsWaitInTheirOrderEachWithItsCookie() throws IOException {
    for (int i = 0; i < 100; i++) {
      device.requestPage(i % 3, i, i % 2 == 0 ? READ : WRITE, i * 4096L);
    }

    List<PageFault> first = faults.await(LONG);
    List<PageFault> second = faults.await(LONG);

    assertThat(first).hasSize(64);
    assertThat(second).hasSize(36);
    for (int i = 0; i < 100; i++) {
      PageFault fault = i < 64 ? first.get(i) : second.get(i - 64);
      assertThat(fault.group()).isEqualTo(i);
      assertThat(fault.address()).isEqualTo(i * 4096L);
      assertThat(fault.read()).isEqualTo(i % 2 == 0);
      assertThat(fault.write()).isEqualTo(i % 2 != 0);
      assertThat(fault.pasid().orElse(0)).isEqualTo(i % 3);
    }
    assertThat(java.util.stream.Stream.concat(first.stream(), second.stream()))
        .extracting(PageFault::cookie)
        .doesNotHaveDuplicates();
    for (PageFault fault : second) {
      faults.respond(fault, PageResponse.INVALID);
    }
    for (PageFault fault : first) {
      faults.respond(fault.cookie(), PageResponse.SUCCESS);
    }
  }

  @Test
  void pageTableOfTheKernelCanFaultToo() throws IOException {
    HwptPaging paging = space.ioas().allocateHwpt(device, faults);
    device.replace(paging);
    device.requestPage(0, 4, READ, 0x2000);

    PageFault fault = next();

    assertThat(fault.address()).isEqualTo(0x2000);
    faults.respond(fault, PageResponse.INVALID);
  }

  @Test
  void nothingArrivesFromADeviceThatIsAttachedElsewhere() throws IOException {
    device.requestPage(0, 1, READ, 0);
    PageFault fault = next();
    device.replace(space.ioas());

    assertRefused(Errno.EINVAL, () -> faults.respond(fault, PageResponse.SUCCESS));
    device.requestPage(0, 2, READ, 0);
    assertThat(faults.await(Duration.ofMillis(1))).isEmpty();
  }

  @Test
  void queueInUseStaysUsable() throws IOException {
    assertRefused(DeviceBusyException.class, Errno.EBUSY, faults::close);
    assertRefused(DeviceBusyException.class, Errno.EBUSY, table::close);
    device.requestPage(0, 5, READ, 0x1000);
    faults.respond(next(), PageResponse.SUCCESS);

    device.replace(space.ioas());
    faults.close();
    faults.close();

    assertThatIllegalStateException().isThrownBy(() -> faults.await(Duration.ZERO));
    assertThatIllegalStateException().isThrownBy(() -> faults.respond(0, PageResponse.SUCCESS));
    assertThatIllegalStateException().isThrownBy(() -> space.ioas().allocateHwpt(device, faults));
  }

  @Test
  void dispatcherBringsFaults() throws Exception {
    var arrived = new LinkedBlockingQueue<PageFault>();
    try (EventDispatcher dispatcher = EventDispatcher.start()) {
      dispatcher.register(
          faults,
          (queue, several) -> {
            assertThat(queue).isSameAs(faults);
            arrived.addAll(several);
          });
      for (int i = 0; i < 3; i++) {
        device.requestPage(0, i, READ, i * 4096L);
        PageFault fault = Objects.requireNonNull(arrived.poll(60, SECONDS), "no fault came");
        assertThat(fault.group()).isEqualTo(i);
        faults.respond(fault, PageResponse.SUCCESS);
      }
      device.replace(space.ioas());
      faults.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> dispatcher.register(faults, (queue, several) -> {}));
    }
  }

  @Test
  void closingWakesWhoWaits() throws Exception {
    device.replace(space.ioas());
    CompletableFuture<List<PageFault>> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return faults.await(LONG);
              } catch (VfioException e) {
                throw new AssertionError(e);
              }
            });
    Thread.sleep(100); // so that it is likely waiting

    faults.close();

    assertThat(waiting)
        .failsWithin(LONG)
        .withThrowableOfType(ExecutionException.class)
        .withCauseInstanceOf(IllegalStateException.class)
        .withMessageContaining("closed");
  }
}
