package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Everything may be closed in any order, twice, and leaves nothing behind. */
@OnMachine({"intel/legacy", "intel/scalable", "smmuv3"}) // the IOMMU does not matter
@Bound(Device.EDU)
class ClosingTest {
  private interface Closing {
    void close() throws VfioException;
  }

  /** Calls all in this order, twice; an address space may say that it is in use. */
  private static void closeTwice(List<Closing> order) throws VfioException {
    for (int round = 0; round < 2; round++) {
      for (Closing closing : order) {
        try {
          closing.close();
        } catch (DeviceBusyException e) {
          assertThat(e).hasMessageContaining("devices are attached to it");
          assertThat(round).isZero();
        }
      }
    }
  }

  private static Stream<List<Closing>> orders(List<Closing> all) {
    if (all.isEmpty()) {
      return Stream.of(List.of());
    }
    return all.stream()
        .flatMap(
            first -> {
              List<Closing> others = new ArrayList<>(all);
              others.remove(first);
              return orders(others)
                  .map(
                      rest -> {
                        List<Closing> order = new ArrayList<>(List.of(first));
                        order.addAll(rest);
                        return order;
                      });
            });
  }

  @Test
  @OnMachine(since = "6.6")
  void objectsOfIommufdCloseInAnyOrder() throws IOException {
    int count = (int) orders(List.of(() -> {}, () -> {}, () -> {}, () -> {})).count();
    assertThat(count).isEqualTo(24);
    for (int i = 0; i < count; i++) {
      try (Arena arena = Arena.ofConfined()) {
        Iommufd iommufd = Iommufd.open();
        Ioas ioas = iommufd.allocateIoas();
        CdevDevice device = iommufd.bind(Sysfs.host().device(Machine.EDU));
        device.attach(ioas);
        DmaMapping mapping = ioas.map(EduDma.pages(arena, 1), READ_WRITE);
        List<Closing> all = List.of(iommufd::close, ioas::close, device::close, mapping::close);

        closeTwice(orders(all).skip(i).findFirst().orElseThrow());

        assertThat(LockedMemory.bytes()).isZero();
      }
    }
  }

  @Test
  void objectsOfAContainerCloseInAnyOrder() throws IOException {
    for (int i = 0; i < 6; i++) {
      try (Arena arena = Arena.ofConfined()) {
        Container container = Container.open();
        VfioDevice device = VfioDevice.open(Machine.EDU, container);
        DmaMapping mapping = container.map(EduDma.pages(arena, 1), READ_WRITE);
        List<Closing> all = List.of(container::close, device::close, mapping::close);

        closeTwice(orders(all).skip(i).findFirst().orElseThrow());

        assertThat(LockedMemory.bytes()).isZero();
      }
    }
  }

  @EachBackend
  void objectsOfADeviceCloseInAnyOrder(Backend backend) throws IOException {
    for (int i = 0; i < 24; i++) {
      VfioDevice device = VfioDevice.open(Machine.EDU, backend);
      MappedRegion registers = device.region(0).map();
      Interrupt message = device.pci().msi().enable(0);
      DmaBuffer buffer = device.addressSpace().allocate(1);
      List<Closing> all = List.of(device::close, registers::close, message::close, buffer::close);

      closeTwice(orders(all).skip(i).findFirst().orElseThrow());

      assertThat(device.isClosed()).isTrue();
      assertThat(LockedMemory.bytes()).isZero();
    }
  }

  @EachBackend
  void closedObjectsRefuseEveryUse(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      VfioDevice device = VfioDevice.open(Machine.EDU, backend);
      IoAddressSpace space = device.addressSpace();
      MappedRegion registers = device.region(0).map();
      Interrupt message = device.pci().msi().enable(0);
      DmaBuffer buffer = space.allocate(1);
      device.close();

      refuses(device::reset, () -> device.pci().config().isBusMaster(), () -> device.region(1));
      refuses(() -> device.region(0).readInt(0), () -> device.region(0).writeInt(0, 1));
      refuses(() -> device.region(0).map(), () -> device.pci().intx());
      refuses(() -> device.pci().msi().enable(0));
      refuses(() -> registers.getByte(0), () -> registers.getShort(0), () -> registers.getInt(0));
      refuses(() -> registers.getLong(0), () -> registers.getByteAcquire(0));
      refuses(() -> registers.getShortAcquire(0), () -> registers.getIntAcquire(0));
      refuses(() -> registers.getLongAcquire(0), () -> registers.setByte(0, (byte) 0));
      refuses(() -> registers.setShort(0, (short) 0), () -> registers.setInt(0, 0));
      refuses(() -> registers.setLong(0, 0), () -> registers.setByteRelease(0, (byte) 0));
      refuses(() -> registers.setShortRelease(0, (short) 0), () -> registers.setIntRelease(0, 0));
      refuses(() -> registers.setLongRelease(0, 0));
      refuses(() -> message.await(Duration.ZERO), () -> message.awaitNanos(-1), message::trigger);
      refuses(() -> space.map(EduDma.pages(arena, 1), 0, READ_WRITE));
      refuses(() -> space.map(EduDma.pages(arena, 1), READ_WRITE), () -> space.unmap(0, 4096));
      refuses(() -> space.allocate(1), () -> space.allocateHuge(1, 2 << 20));
      refuses(() -> VfioDevice.open(Machine.EDU, space));
      refuses(() -> buffer.segment().fill((byte) 1));
      if (space instanceof Container container) {
        refuses(() -> container.group(0));
      }
      if (device instanceof CdevDevice cdev) {
        refuses(() -> cdev.attach(cdev.addressSpace()), cdev::detach);
        refuses(() -> cdev.iommufd().allocateIoas());
        refuses(() -> cdev.iommufd().bind(Sysfs.host().device(Machine.EDU)));
      }
      assertThat(device.name()).isEqualTo(Machine.EDU.toString());
      assertThat(device.info().pci()).isTrue();
      assertThat(registers.size()).isEqualTo(1 << 20);
    }
  }

  private interface Use {
    void run() throws IOException;
  }

  private static void refuses(Use... uses) {
    for (Use use : uses) {
      assertThatIllegalStateException().isThrownBy(use::run).withMessageContaining("lose");
    }
  }
}
