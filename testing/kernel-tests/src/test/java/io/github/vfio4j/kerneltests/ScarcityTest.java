package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Whichever allocation of the kernel fails, an operation works or says so, leaves nothing behind,
 * and works when it is repeated.
 */
@OnMachine(value = "intel/legacy", since = "7.0")
@Bound({Device.EDU, Device.IVSHMEM})
class ScarcityTest extends EduTests {
  private static final int INTERRUPT_PIN = 0x3d;

  /** Opening and closing it asks nothing of the kernel's ACPI, which crashes without memory. */
  private static final PciAddress WITHOUT_INTERRUPT = Machine.IVSHMEM;

  @BeforeAll
  static void letAllocationsFail() throws IOException {
    ScarceKernel.prepare();
    PciDevice device = Sysfs.host().device(WITHOUT_INTERRUPT);
    assertThat(Files.readAllBytes(device.path().resolve("config"))[INTERRUPT_PIN]).isZero();
  }

  /** A device that is attached to one of two address spaces. */
  private static final class Setting implements AutoCloseable {
    final Arena arena = Arena.ofConfined();
    final MemorySegment memory = EduDma.pages(arena, 4);
    final Kernel kernel;
    final Iommufd iommufd;
    final CdevDevice device;
    Ioas ioas;
    Ioas other;

    Setting(Kernel kernel, PciAddress address) throws VfioException {
      this.kernel = kernel;
      this.iommufd = OnKernel.iommufd(kernel);
      try {
        this.device = device(address, iommufd);
        this.ioas = iommufd.allocateIoas();
        this.other = iommufd.allocateIoas();
        device.attach(ioas);
      } catch (VfioException | RuntimeException e) {
        iommufd.close();
        throw e;
      }
    }

    /** Begins anew, with what belongs to the device and to the iommufd left as it is. */
    void renew() throws VfioException {
      device.detach();
      ioas.close();
      other.close();
      ioas = iommufd.allocateIoas();
      other = iommufd.allocateIoas();
      device.attach(ioas);
    }

    @Override
    public void close() throws VfioException {
      iommufd.close();
      arena.close();
    }
  }

  private interface Preparation {
    Scarcity.Operation in(Setting setting) throws VfioException;
  }

  private static void sweep(Preparation preparation) throws IOException {
    try (ScarceKernel scarce = new ScarceKernel();
        Setting setting = new Setting(scarce.kernel(), Machine.EDU)) {
      Scarcity.each(
          scarce,
          n -> {
            setting.renew();
            assertThat(LockedMemory.bytes()).as("after allocation %d failed", n - 1).isZero();
            Scarcity.Operation operation = preparation.in(setting);
            long before = LockedMemory.bytes();
            scarce.failAllocation(n);
            boolean refused = Scarcity.refused(scarce, operation);
            scarce.stop();
            if (refused) {
              assertThat(LockedMemory.bytes())
                  .as("after allocation %d failed", n)
                  .isEqualTo(before);
              operation.run();
            }
            return refused;
          });
      setting.renew();
      assertWorks(setting);
    }
  }

  private static void assertWorks(Setting setting) throws VfioException {
    setting.ioas.map(setting.memory, IOVA, READ_WRITE);
    MemorySegment source = setting.memory.asSlice(0, PAGE);
    EduDma.fill(source, 1);
    try (Edu edu = Edu.start(setting.device)) {
      EduDma.move(edu, IOVA, IOVA + PAGE);
    }
    assertThat(setting.memory.asSlice(PAGE, PAGE).mismatch(source)).isEqualTo(-1);
  }

  @Test
  void openingAndClosingOnIommufd() throws IOException {
    Scarcity.sweep(kernel -> OnKernel.device(kernel, WITHOUT_INTERRUPT, Backend.IOMMUFD).close());
  }

  @Test
  void openingAndClosingInAContainer() throws IOException {
    Scarcity.sweep(kernel -> OnKernel.device(kernel, WITHOUT_INTERRUPT, Backend.CONTAINER).close());
  }

  @Test
  void openingTheLegacyInterfaceOnIommufd() throws IOException {
    Scarcity.sweep(
        kernel -> {
          try (Iommufd iommufd = OnKernel.iommufd(kernel)) {
            Container container = Container.open(iommufd, Container.Type.TYPE1V2);
            VfioDevice.open(WITHOUT_INTERRUPT, container);
            container.allocate(PAGE);
          }
        });
  }

  @Test
  void mapping() throws IOException {
    sweep(at -> () -> at.ioas.map(at.memory, IOVA, READ_WRITE));
    sweep(at -> () -> at.ioas.allocate(3 * PAGE));
    sweep(
        at -> {
          at.ioas.allocateHwpt(at.device);
          return () -> at.ioas.map(at.memory, IOVA, READ_WRITE);
        });
  }

  @Test
  void mappingOfFiles() throws IOException {
    sweep(
        at ->
            () -> {
              try (MemoryFile file = OnKernel.memoryFile(at.kernel, 2 * PAGE)) {
                at.ioas.mapFile(file, 0, 2 * PAGE, READ_WRITE);
              }
            });
  }

  @Test
  void copying() throws IOException {
    sweep(
        at -> {
          at.other.map(at.memory, IOVA, READ_WRITE);
          return () -> at.ioas.copy(at.other, IOVA, IOVA, 4 * PAGE, READ_WRITE);
        });
  }

  @Test
  void unmapping() throws IOException {
    sweep(
        at -> {
          at.ioas.map(at.memory, IOVA, READ_WRITE);
          at.other.copy(at.ioas, IOVA, IOVA, 4 * PAGE, READ_WRITE);
          at.other.allocateHwpt(at.device);
          return () -> at.ioas.unmap(IOVA, 4 * PAGE);
        });
  }

  @Test
  void replacing() throws IOException {
    sweep(
        at -> {
          at.ioas.map(at.memory, IOVA, READ_WRITE);
          at.other.map(at.memory.asSlice(0, 2 * PAGE), IOVA, READ_WRITE);
          return () -> at.device.attach(at.other);
        });
  }

  @Test
  void makingPageTables() throws IOException {
    sweep(
        at -> {
          at.other.map(at.memory, IOVA, READ_WRITE);
          return () -> at.other.allocateHwpt(at.device);
        });
    sweep(
        at -> {
          HwptPaging hwpt = at.other.allocateHwpt(at.device);
          at.device.detach();
          return () -> at.device.attach(hwpt);
        });
    sweep(
        at ->
            () -> {
              FaultQueue queue = at.iommufd.allocateFaultQueue();
              HwptPaging hwpt = at.other.allocateHwpt(at.device, queue);
              queue.close();
              hwpt.close();
            });
  }

  @Test
  void allowing() throws IOException {
    sweep(
        at ->
            () ->
                at.ioas.allowIovas(
                    List.of(new IovaRange(IOVA, IOVA + 0xffff), new IovaRange(0, 0xfff))));
  }

  @Test
  void drivingTheDevice() throws IOException {
    sweep(
        at ->
            () -> {
              try (MappedRegion registers = at.device.region(0).map();
                  Interrupt message = at.device.pci().msi().enable(0);
                  EventDispatcher dispatcher = OnKernel.dispatcher(at.kernel)) {
                dispatcher.register(message, (interrupt, count) -> {});
                at.device.pci().config().setBusMaster(true);
                assertThat(registers.size()).isPositive();
              }
            });
  }

  @Test
  void closing() throws IOException {
    Scarcity.sweep(
        kernel -> {
          try (Setting setting = new Setting(kernel, WITHOUT_INTERRUPT);
              DmaBuffer buffer = setting.ioas.allocate(PAGE)) {
            assertThat(buffer.size()).isEqualTo(PAGE);
          }
        });
  }
}
