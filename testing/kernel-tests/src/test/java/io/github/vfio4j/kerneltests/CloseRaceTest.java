package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Closing while other threads are in the middle of something ends them, and nothing else. */
@OnMachine({"intel/legacy", "intel/scalable", "smmuv3"}) // the IOMMU does not matter
@Bound(Device.EDU)
class CloseRaceTest {
  private static final int ROUNDS = 3;

  private interface Step {
    void run() throws IOException;
  }

  /** Closes a device under threads that repeat their steps until one says that it is closed. */
  private static void closeUnder(VfioDevice device, Step... steps) throws Exception {
    try (var threads = Executors.newCachedThreadPool();
        device) {
      var started = new CountDownLatch(steps.length);
      List<Future<?>> ends = new ArrayList<>();
      for (Step step : steps) {
        ends.add(
            threads.submit(
                () -> {
                  step.run();
                  started.countDown();
                  try {
                    while (true) {
                      step.run();
                    }
                  } catch (IllegalStateException closed) {
                    assertThat(closed).hasMessageContaining("lose");
                    return null;
                  }
                }));
      }
      assertThat(started.await(60, SECONDS)).isTrue();

      Future<?> other =
          threads.submit(
              () -> {
                device.close();
                return null;
              });
      device.close();

      other.get(60, SECONDS);
      for (Future<?> end : ends) {
        end.get(60, SECONDS);
      }
    }
    assertThat(LockedMemory.bytes()).isZero();
  }

  @EachBackend
  void threadsThatMapStop(Backend backend) throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      try (Arena arena = Arena.ofShared()) {
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        IoAddressSpace space = device.addressSpace();
        MemorySegment memory = EduDma.pages(arena, 1);

        closeUnder(
            device,
            () -> {
              space.map(memory, 0x10000, READ_WRITE);
              space.unmap(0x10000, EduDma.PAGE);
            },
            () -> space.map(memory, READ_WRITE).close(),
            () -> {
              try (DmaBuffer buffer = space.allocate(EduDma.PAGE)) {
                buffer.segment().fill((byte) 1);
              }
            });
      }
    }
  }

  @EachBackend
  void threadsThatAccessRegistersStop(Backend backend) throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      VfioDevice device = VfioDevice.open(Machine.EDU, backend);
      Region region = device.region(0);
      MappedRegion registers = region.map();

      closeUnder(
          device,
          () -> registers.getInt(0),
          () -> registers.setInt(4, 1),
          () -> region.readInt(0),
          () -> region.map().close(),
          () -> device.pci().config().isBusMaster());
    }
  }

  @EachBackend
  void threadsThatUseInterruptsStop(Backend backend) throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      VfioDevice device = VfioDevice.open(Machine.EDU, backend);
      IrqIndex messages = device.pci().msi();
      Interrupt message = messages.enable(0);

      closeUnder(
          device,
          () -> {
            message.trigger();
            message.awaitNanos(-1);
          },
          () -> message.awaitNanos(1000),
          message::trigger);
    }
  }
}
