package io.github.vfio4j.model;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.Region;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A hosted model is a device like any other to its driver, and its host judges as an IOMMU does.
 */
class ModelHostTest {
  private static final long IOVA = 0x10000;
  private static final int PAGE = 4096;
  private static final Duration LONG = Duration.ofSeconds(10);

  private final Scratch model = new Scratch(Scratch.plain());
  private ModelHost host;
  private VfioDevice device;

  @BeforeEach
  void open() throws VfioException {
    host = ModelHost.of("scratch", model);
    device = host.open();
  }

  @AfterEach
  void close() throws VfioException {
    host.close();
    host.close();
  }

  private MemorySegment mapped(Arena arena, DmaAccess access) throws VfioException {
    MemorySegment memory = arena.allocate(PAGE, PAGE);
    device.addressSpace().map(memory, IOVA, access);
    device.pci().config().setBusMaster(true);
    return memory;
  }

  private static MemorySegment bytes(int count, int value) {
    return MemorySegment.ofArray(new byte[count]).fill((byte) value);
  }

  @Test
  void registersAreReachedByMappingAndByCalls() throws VfioException {
    Region bar = device.pci().bar(Scratch.REGISTERS);
    try (MappedRegion registers = bar.map()) {
      registers.setLong(8, 0x1122334455667788L);
      assertThat(model.lastWidth).isEqualTo(8);
      assertThat(registers.getShort(10)).isEqualTo((short) 0x5566);
      assertThat(model.lastWidth).isEqualTo(2);
      assertThat(bar.readInt(12)).isEqualTo(0x11223344);
      assertThat(bar.readByte(8)).isEqualTo((byte) 0x88);
      bar.writeLong(16, -2);
      assertThat(registers.getLongAcquire(16)).isEqualTo(-2);
      assertThatThrownBy(() -> registers.getInt(4096))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> registers.getInt(2)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void memoryOfABarIsTheModelsOwn() throws VfioException {
    try (MappedRegion memory = device.pci().bar(Scratch.MEMORY).map()) {
      memory.setInt(4096, 0x12345678);
      assertThat(model.memory().get(JAVA_INT, 4096)).isEqualTo(0x12345678);
      model.memory().set(JAVA_LONG, 0, -3);
      assertThat(memory.getLong(0)).isEqualTo(-3);
      assertThat(device.pci().bar(Scratch.MEMORY).readLong(0)).isEqualTo(-3);
    }
  }

  @Test
  void dmaReachesWhatIsMappedAndNothingElse() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = mapped(arena, DmaAccess.READ_WRITE);

      assertThat(model.bus().write(IOVA + 8, bytes(16, 5))).isTrue();
      assertThat(memory.get(JAVA_BYTE, 7)).isZero();
      assertThat(memory.get(JAVA_BYTE, 8)).isEqualTo((byte) 5);
      assertThat(memory.get(JAVA_BYTE, 24)).isZero();
      MemorySegment read = bytes(4, 9);
      assertThat(model.bus().read(IOVA + 22, read)).isTrue();
      assertThat(read.toArray(JAVA_BYTE)).containsExactly(5, 5, 0, 0);
      assertThat(host.dmaFaults()).isEmpty();

      // over the end: the part that is mapped arrives, the rest is a fault
      assertThat(model.bus().write(IOVA + PAGE - 2, bytes(6, 6))).isFalse();
      assertThat(memory.get(JAVA_BYTE, PAGE - 1)).isEqualTo((byte) 6);
      assertThat(host.dmaFaults())
          .singleElement()
          .extracting(DmaFault::iova, DmaFault::size, DmaFault::reason)
          .containsExactly(IOVA + PAGE, 4L, DmaFault.Reason.NOT_MAPPED);
      device.close();
    }
  }

  @Test
  void dmaAgainstTheAccessOfAMappingIsAFault() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = mapped(arena, DmaAccess.READ);

      assertThat(model.bus().write(IOVA, bytes(8, 1))).isFalse();

      assertThat(memory.get(JAVA_LONG, 0)).isZero();
      assertThat(host.dmaFaults())
          .singleElement()
          .extracting(DmaFault::device, DmaFault::reason)
          .containsExactly("scratch", DmaFault.Reason.NOT_PERMITTED);
      device.close();
    }
  }

  @Test
  void dmaAfterUnmappingIsAFault() throws VfioException {
    device.pci().config().setBusMaster(true);
    long iova;
    try (DmaBuffer buffer = device.addressSpace().allocate(PAGE)) {
      iova = buffer.iova();
      assertThat(model.bus().write(iova, bytes(8, 1))).isTrue();
    }

    assertThat(model.bus().write(iova, bytes(8, 1))).isFalse();
    assertThat(host.dmaFaults()).hasSize(1);
  }

  @Test
  void aRangeOfSeveralMappingsIsUnmappedAtOnce() throws VfioException {
    device.pci().config().setBusMaster(true);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(3 * PAGE, PAGE);
      for (long page = 0; page < 3; page++) {
        device
            .addressSpace()
            .map(memory.asSlice(page * PAGE, PAGE), IOVA + page * PAGE, DmaAccess.WRITE);
      }
      assertThat(model.bus().write(IOVA + 2 * PAGE - 4, bytes(8, 1))).isTrue();

      assertThat(device.addressSpace().unmapRange(IOVA + PAGE, 1 << 20)).isEqualTo(2 * PAGE);

      assertThat(model.bus().write(IOVA + PAGE, bytes(8, 1))).isFalse();
      assertThat(model.bus().write(IOVA, bytes(8, 1))).isTrue();
    }
  }

  @Test
  void dmaIntoMemoryThatWasFreedUnderItsMappingIsAFaultAndNoCrash() throws VfioException {
    try (Arena arena = Arena.ofShared()) {
      mapped(arena, DmaAccess.READ_WRITE);
    }

    assertThat(model.bus().write(IOVA, bytes(8, 1))).isFalse();

    assertThat(host.dmaFaults())
        .singleElement()
        .extracting(DmaFault::reason)
        .isEqualTo(DmaFault.Reason.MEMORY_FREED);
  }

  @Test
  void withoutBusMasterNeitherDmaNorMessagesHappen() throws VfioException {
    try (DmaBuffer buffer = device.addressSpace().allocate(PAGE);
        Interrupt message = device.pci().msix().enable(1)) {
      assertThat(device.pci().config().isBusMaster()).isFalse();

      assertThat(model.bus().write(buffer.iova(), bytes(8, 1))).isFalse();
      model.bus().raiseMessage(1);

      assertThat(message.await(Duration.ZERO)).isZero();
      assertThat(host.dmaFaults())
          .extracting(DmaFault::reason)
          .containsExactly(DmaFault.Reason.NOT_BUS_MASTER);
      device.pci().config().setBusMaster(true);
      model.bus().raiseMessage(1);
      assertThat(message.await(LONG)).isEqualTo(1);
    }
  }

  @Test
  void theFaultTellsWhereTheDriverWas() throws VfioException {
    try (MappedRegion registers = device.pci().bar(Scratch.REGISTERS).map()) {
      device.pci().config().setBusMaster(true);
      registers.setInt(0, 1);
      model.bus().read(0x999000, bytes(4, 0));

      assertThat(host.dmaFaults().getFirst().lastCall().getFirst().getMethodName())
          .isEqualTo("theFaultTellsWhereTheDriverWas");
      assertThat(host.dmaFaults().getFirst())
          .hasToString("scratch: read of 0x4 bytes at 0x999000: nothing is mapped there");
    }
  }

  @Test
  void vectorsAreEnabledWithHolesAndOneByOne() throws VfioException {
    device.pci().config().setBusMaster(true);
    List<Interrupt> some = device.pci().msix().enable(0, 3);
    Interrupt between = device.pci().msix().enable(2);

    model.bus().raiseMessage(3);
    model.bus().raiseMessage(2);
    model.bus().raiseMessage(2);
    model.bus().raiseMessage(1); // nobody listens

    assertThat(some.get(1).await(LONG)).isEqualTo(1);
    assertThat(between.await(LONG)).isEqualTo(2);
    assertThat(some.getFirst().await(Duration.ZERO)).isZero();
    some.getFirst().trigger();
    assertThat(some.getFirst().await(LONG)).isEqualTo(1);
  }

  @Test
  void theLineIsMaskedUntilItIsServed() throws VfioException {
    Scratch lined = new Scratch(PciLayout.of(0x1af4, 0x10f0).line());
    try (ModelHost other = ModelHost.of(lined);
        VfioDevice opened = other.open();
        Interrupt line = opened.pci().intx().enable(0)) {
      lined.bus().setLine(true);
      lined.bus().setLine(true);
      assertThat(line.await(LONG)).isEqualTo(1);
      assertThat(line.await(Duration.ZERO)).isZero();

      line.unmask(); // still asserted
      assertThat(line.await(LONG)).isEqualTo(1);
      lined.bus().setLine(false);
      line.unmask();
      assertThat(line.await(Duration.ZERO)).isZero();
      assertThatThrownBy(() -> opened.pci().msix().enable(0))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void messagesAndTheLineExcludeEachOther() throws VfioException {
    Scratch both = new Scratch(PciLayout.of(0x1af4, 0x10f0).line().msi(2));
    try (ModelHost other = ModelHost.of(both);
        VfioDevice opened = other.open()) {
      try (Interrupt message = opened.pci().msi().enable(0)) {
        assertThat(message.vector()).isZero();
        assertThatThrownBy(() -> opened.pci().intx().enable(0)).isInstanceOf(VfioException.class);
      }
      opened.pci().intx().enable(0).close();
    }
  }

  @Test
  void itIsOpenOnceAtATimeAndComesBackReset() throws VfioException {
    assertThatThrownBy(host::open).isInstanceOf(DeviceBusyException.class);
    device.pci().config().setBusMaster(true);
    int resets = model.resets;

    device.close();

    assertThat(model.resets).isGreaterThan(resets);
    try (VfioDevice again = host.open()) {
      assertThat(again.pci().config().isBusMaster()).isFalse();
      assertThat(again.choice().backend()).isEqualTo(Backend.MODEL);
    }
  }

  @Test
  void devicesShareAnAddressSpace() throws VfioException {
    Scratch second = new Scratch(Scratch.plain());
    try (ModelHost other = ModelHost.of("second", second);
        DmaBuffer buffer = device.addressSpace().allocate(PAGE)) {
      try (VfioDevice opened = other.open(device.addressSpace())) {
        opened.pci().config().setBusMaster(true);
        assertThat(second.bus().write(buffer.iova(), bytes(8, 4))).isTrue();
      }
      assertThat(buffer.segment().get(JAVA_BYTE, 7)).isEqualTo((byte) 4);
      buffer.segment().fill((byte) 0); // still mapped for the first
      device.pci().config().setBusMaster(true);
      assertThat(model.bus().write(buffer.iova(), bytes(8, 5))).isTrue();
    }
  }

  @Test
  void resetIsTheModels() throws VfioException {
    int before = model.resets;
    device.reset();
    assertThat(model.resets).isEqualTo(before + 1);
    Scratch unresettable = new Scratch(PciLayout.of(1, 2));
    try (ModelHost other = ModelHost.of(unresettable);
        VfioDevice opened = other.open()) {
      assertThatThrownBy(opened::reset).isInstanceOf(UnsupportedByKernelException.class);
    }
  }

  @Test
  void whatIsClosedRefusesEveryUse() throws VfioException {
    IoAddressSpace space = device.addressSpace();
    MappedRegion registers = device.pci().bar(Scratch.REGISTERS).map();
    device.close();

    assertThatThrownBy(() -> registers.getInt(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> device.region(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> space.allocate(1)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(device::reset).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aDeviceThatHasVanishedAnswersAllOnes() throws VfioException {
    MappedRegion registers = device.pci().bar(Scratch.REGISTERS).map();
    Region config = device.pci().config().region();
    host.faults().vanish();

    assertThat(registers.getInt(0)).isEqualTo(-1);
    assertThat(config.readShort(0)).isEqualTo((short) -1);
    assertThatThrownBy(device::reset).isInstanceOf(NoSuchDeviceException.class);
    assertThatThrownBy(() -> device.pci().msix().enable(0))
        .isInstanceOf(NoSuchDeviceException.class);
    device.close();
  }
}
