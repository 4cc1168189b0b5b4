package io.github.vfio4j.fuzz;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.graphics.Display;
import io.github.vfio4j.graphics.PlaneType;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.HwptProbe;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.VeventQueue;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.migration.DeviceState;
import io.github.vfio4j.migration.DmaLog;
import io.github.vfio4j.migration.Migration;
import io.github.vfio4j.pci.HotReset;
import io.github.vfio4j.pci.LowPower;
import io.github.vfio4j.sysfs.FakeHost;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A kernel whose replies to one kind of ioctl, and whose queues, have any bytes: all that goes
 * wrong is told as what went wrong.
 */
public final class HostileKernelFuzz {
  private static final long PAGE = 4096;
  private static final Ioctl[] OPERATIONS = Ioctl.values();

  private static final Path ROOT = root();
  private static final FakeHost FILES = FakeMachine.files(ROOT, "vfio-pci");

  private HostileKernelFuzz() {}

  /** Takes an input for the number of an ioctl, and what it answers. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    Ioctl hostile = OPERATIONS[Byte.toUnsignedInt(input[0]) % OPERATIONS.length];
    MemorySegment bytes = MemorySegment.ofArray(input).asSlice(1);
    FakeMachine machine = machine();
    machine.kernel.confine();
    machine.migration.with(7);
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == hostile) {
            long size = Math.min(bytes.byteSize(), reply.byteSize());
            MemorySegment.copy(bytes, 0, reply, 0, size);
          }
        });
    try {
      attempt(() -> lookAt(machine, Backend.IOMMUFD));
      attempt(() -> lookAt(machine, Backend.CONTAINER));
      attempt(() -> migrate(machine));
      attempt(() -> translate(machine, input));
    } finally {
      machine.kernel.closeAll(); // what has another number than the caller was told
    }
  }

  private static FakeMachine machine() {
    try {
      return new FakeMachine(ROOT, FILES);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Path root() {
    try {
      return Files.createTempDirectory("fuzz");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** A part of a scenario. */
  @FunctionalInterface
  private interface Part {
    void run() throws IOException;
  }

  private static void attempt(Part part) {
    try {
      part.run();
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).isBlank()) {
        throw new AssertionError(e);
      }
    } catch (UnsupportedOperationException e) {
      // a device that says it cannot be masked, or has no such view
    }
  }

  private static void lookAt(FakeMachine machine, Backend backend) throws IOException {
    try (VfioDevice device = machine.open(backend)) {
      for (int index = 0; index < Math.min(9, device.info().regionCount()); index++) {
        int region = index;
        attempt(() -> use(device.region(region)));
      }
      for (int index = 0; index < Math.min(5, device.info().irqCount()); index++) {
        int irq = index;
        attempt(() -> use(device.irq(irq)));
      }
      attempt(() -> DeviceFeature.of(device));
      attempt(() -> HotReset.of(device).dependents());
      attempt(() -> LowPower.enter(device).close());
      attempt(() -> show(device));
      attempt(() -> device.addressSpace().allocate(PAGE).close());
      if (device.addressSpace() instanceof Container container) {
        attempt(container::migration);
        attempt(container::mappingsLeft);
      }
    }
  }

  private static void use(IrqIndex kind) throws IOException {
    if (kind.count() > 0) {
      kind.enable(0).resample().close();
    }
  }

  private static void use(Region region) throws IOException {
    if (region.size() > 0 && region.info().readable()) {
      region.readByte(0);
    }
  }

  private static void show(VfioDevice device) throws IOException {
    Display display = Display.of(device).orElse(null);
    if (display != null) {
      var plane = display.plane(PlaneType.PRIMARY);
      if (plane.isPresent()) {
        display.open(plane.get()).close();
      }
      display.edid();
    }
  }

  private static void migrate(FakeMachine machine) throws IOException {
    try (VfioDevice device = machine.open(Backend.IOMMUFD);
        Migration migration = Migration.of(device)) {
      attempt(migration::dataSize);
      attempt(() -> migration.precopy(Channels.newChannel(OutputStream.nullOutputStream())));
      attempt(() -> migration.save(Channels.newChannel(OutputStream.nullOutputStream())));
      attempt(() -> migration.moveTo(DeviceState.RUNNING));
      attempt(
          () -> {
            List<IovaRange> ranges = List.of(new IovaRange(0, 4 * PAGE - 1));
            try (DmaLog log = DmaLog.start(device, PAGE, ranges)) {
              log.readAndClear(new DirtyBitmap(0, 4 * PAGE, PAGE));
            }
          });
    }
  }

  private static void translate(FakeMachine machine, byte[] input) throws IOException {
    try (VfioDevice opened = machine.open(Backend.IOMMUFD);
        Arena arena = Arena.ofConfined()) {
      CdevDevice device = (CdevDevice) opened;
      attempt(() -> HwInfo.of(device));
      attempt(() -> HwptProbe.of(device));
      Ioas ioas = device.iommufd().allocateIoas();
      attempt(ioas::refreshRanges);
      if (ioas.granule() == PAGE) { // else it is the caller who is wrong
        attempt(() -> ioas.map(arena.allocate(PAGE, PAGE), DmaAccess.READ));
      }
      FaultQueue faults = device.iommufd().allocateFaultQueue();
      machine.kernel.queue(input);
      attempt(() -> faults.await(Duration.ZERO));
      HwptPaging parent = ioas.allocateHwpt(device, HwptFlag.NEST_PARENT, HwptFlag.DIRTY_TRACKING);
      attempt(() -> parent.readDirty(new DirtyBitmap(0, 4 * PAGE, PAGE)));
      Viommu viommu = parent.allocateViommu(device, Viommu.ARM_SMMUV3);
      VeventQueue events = viommu.allocateVeventQueue(VeventQueue.ARM_SMMUV3, 4);
      machine.kernel.queue(input);
      attempt(() -> events.await(Duration.ZERO));
      attempt(() -> viommu.map(0, PAGE).close());
    }
  }
}
