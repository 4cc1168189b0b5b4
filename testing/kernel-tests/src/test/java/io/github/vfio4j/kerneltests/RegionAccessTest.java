package io.github.vfio4j.kerneltests;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciFunction.RegionKind;
import io.github.vfio4j.Region;
import io.github.vfio4j.RegionCapability;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The regions of real devices, read and written through the kernel and by mapping. */
@OnMachine({"intel/legacy", "intel/scalable", "smmuv3"}) // the IOMMU does not matter
@Bound({Device.EDU, Device.IVSHMEM, Device.NVME, Device.IGB})
class RegionAccessTest {
  private static final int CONFIG = RegionKind.CONFIG.index();
  private static final int VGA = 8;
  private static final int SHARED_MEMORY = 2;
  private static final int MEMORY_SIZE = 1 << 20;

  @EachBackend
  void regionsHaveTheKernelsIndex(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      assertThat(device.info().pci()).isTrue();
      assertThat(device.info().regionCount()).isEqualTo(9);
      assertThat(device.info().irqCount()).isEqualTo(5);
      Region registers = device.region(0);
      assertThat(registers.size()).isEqualTo(MEMORY_SIZE);
      assertThat(registers.info().readable()).isTrue();
      assertThat(registers.info().writable()).isTrue();
      assertThat(registers.info().mappable()).isTrue();
      for (int missing : new int[] {1, 2, 3, 4, 5, 6, VGA}) {
        assertThat(device.region(missing).info().index()).isEqualTo(missing);
        assertThat(device.region(missing).size()).isZero();
        assertThat(device.region(missing).info().mappable()).isFalse();
      }
      assertThat(device.region(CONFIG).size()).isEqualTo(256);
      assertThat(device.region(CONFIG).info().mappable()).isFalse();
      assertThat(device.region(CONFIG)).isSameAs(device.region(CONFIG));
      assertThatThrownBy(() -> device.region(9)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> device.region(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @EachBackend
  void regionThatIsNotThereCannotBeUsed(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      Region missing = device.region(1);

      assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(missing::map);
      assertThatThrownBy(() -> missing.readByte(0)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> missing.writeByte(0, (byte) 0))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(() -> device.region(CONFIG).map())
          .withMessageContaining("region 7 of " + Machine.EDU);
    }
  }

  @EachBackend
  void regionWithTheInterruptTableSaysThatItMayBeMapped(Backend backend) throws IOException {
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      assertThat(nvme.region(0).info().capabilities())
          .containsExactly(new RegionCapability.MsixMappable());
      nvme.region(0).map().close();
    }
    try (VfioDevice igb = VfioDevice.open(Machine.IGB, backend)) {
      assertThat(igb.region(0).info().capabilities()).isEmpty();
      assertThat(igb.region(3).info().capabilities())
          .containsExactly(new RegionCapability.MsixMappable());
      assertThat(igb.region(CONFIG).size()).isEqualTo(4096);
    }
  }

  /** No device here has areas: since Linux 4.16 the table of interrupts is no gap. */
  @EachBackend
  void areasOfARegionAreTheWholeOfIt(Backend backend) throws IOException {
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      List<MappedRegion> areas = nvme.region(0).mapAreas();
      assertThat(areas).hasSize(1);
      assertThat(areas.getFirst().size()).isEqualTo(nvme.region(0).size());
      assertThat(areas.getFirst().getInt(0)).isEqualTo(nvme.region(0).readInt(0));
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(() -> nvme.region(CONFIG).mapAreas());
      assertThat(nvme.regionOfType(1, 1)).isEmpty();
      assertThat(nvme.info().capabilities()).isEmpty();
    }
  }

  @EachBackend
  void romIsReadOnly(Backend backend) throws IOException {
    byte[] rom = Files.readAllBytes(Path.of("lab/devices.rom"));
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend)) {
      Region region = device.pci().rom();
      assertThat(region.size()).isEqualTo(rom.length);
      assertThat(region.info().readable()).isTrue();
      assertThat(region.info().writable()).isFalse();
      MemorySegment read = arena.allocate(rom.length);
      region.read(0, read);
      assertThat(read.toArray(JAVA_BYTE)).isEqualTo(rom);
      assertThatThrownBy(() -> region.writeByte(0, (byte) 1)).isInstanceOf(VfioException.class);
      assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(region::map);
    }
  }

  @EachBackend
  void everyWidthReadsWhatTheOtherWayWrote(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend);
        MappedRegion mapped = device.region(SHARED_MEMORY).map()) {
      Region region = device.region(SHARED_MEMORY);
      assertThat(mapped.size()).isEqualTo(MEMORY_SIZE);
      int end = MEMORY_SIZE - 8;

      mapped.setLong(end, 0x8877665544332211L);
      assertThat(region.readLong(end)).isEqualTo(0x8877665544332211L);
      assertThat(region.readInt(end + 4)).isEqualTo(0x88776655);
      assertThat(region.readShort(end + 2)).isEqualTo((short) 0x4433);
      assertThat(region.readByte(end + 7)).isEqualTo((byte) 0x88);

      region.writeLong(end, 0xfedcba9876543210L);
      assertThat(mapped.getLong(end)).isEqualTo(0xfedcba9876543210L);
      assertThat(mapped.getLongAcquire(end)).isEqualTo(0xfedcba9876543210L);
      region.writeInt(end, 0x01020304);
      assertThat(mapped.getInt(end)).isEqualTo(0x01020304);
      assertThat(mapped.getIntAcquire(end)).isEqualTo(0x01020304);
      region.writeShort(end, (short) 0xbeef);
      assertThat(mapped.getShort(end)).isEqualTo((short) 0xbeef);
      assertThat(mapped.getShortAcquire(end)).isEqualTo((short) 0xbeef);
      region.writeByte(end, (byte) 0x7f);
      assertThat(mapped.getByte(end)).isEqualTo((byte) 0x7f);
      assertThat(mapped.getByteAcquire(end)).isEqualTo((byte) 0x7f);

      mapped.setIntRelease(0, 0x0a0b0c0d);
      mapped.setShortRelease(4, (short) 0x1234);
      mapped.setByteRelease(6, (byte) 0x56);
      mapped.setByte(7, (byte) 0x78);
      assertThat(region.readLong(0)).isEqualTo(0x785612340a0b0c0dL);
      mapped.setLongRelease(0, 1);
      mapped.setInt(4, 2);
      mapped.setShort(4, (short) 3);
      assertThat(region.readLong(0)).isEqualTo(0x0000000300000001L);
    }
  }

  @EachBackend
  void blocksOfAnyAlignmentAreReadAndWritten(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend)) {
      Region region = device.region(SHARED_MEMORY);
      MemorySegment written = arena.allocate(1003);
      EduDma.fill(written, 1);
      MemorySegment read = arena.allocate(1003);

      region.write(17, written);
      region.read(17, read);

      assertThat(read.mismatch(written)).isEqualTo(-1);
      region.read(MEMORY_SIZE, arena.allocate(0));
    }
  }

  @EachBackend
  void accessesBeyondTheRegionAreRefused(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend)) {
      Region region = device.region(SHARED_MEMORY);
      region.writeLong(MEMORY_SIZE - 8, 42);

      for (long offset :
          new long[] {MEMORY_SIZE - 7, MEMORY_SIZE, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
        assertThatThrownBy(() -> region.readLong(offset))
            .isInstanceOf(IndexOutOfBoundsException.class)
            .hasMessageContaining("region 2 of " + Machine.IVSHMEM);
        assertThatThrownBy(() -> region.writeLong(offset, 0))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
      assertThatThrownBy(() -> region.read(0, arena.allocate(MEMORY_SIZE + 1)))
          .isInstanceOf(IndexOutOfBoundsException.class);

      assertThat(region.readLong(MEMORY_SIZE - 8)).isEqualTo(42);
    }
  }

  @EachBackend
  void mappedAccessesBeyondTheMappingOrUnalignedAreRefused(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend);
        MappedRegion mapped = device.region(SHARED_MEMORY).map(4096, 8192)) {
      assertThat(mapped.offset()).isEqualTo(4096);
      mapped.setLong(8184, 5);
      assertThat(device.region(SHARED_MEMORY).readLong(4096 + 8184)).isEqualTo(5);

      for (long offset :
          new long[] {8192, 8200, -8, Long.MIN_VALUE, 1L << 32, Long.MAX_VALUE - 7}) {
        assertThatThrownBy(() -> mapped.getLong(offset))
            .isInstanceOf(IndexOutOfBoundsException.class)
            .hasMessageContaining("0x2000 bytes of region 2 of " + Machine.IVSHMEM);
        assertThatThrownBy(() -> mapped.setByte(offset, (byte) 1))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
      assertThatIllegalArgumentException().isThrownBy(() -> mapped.getLong(4));
      assertThatIllegalArgumentException().isThrownBy(() -> mapped.setInt(2, 0));
      assertThatIllegalArgumentException().isThrownBy(() -> mapped.getShort(8191));
      assertThat(mapped.getLong(8184)).isEqualTo(5);
    }
  }

  @EachBackend
  void windowsThatCannotBeMappedAreRefused(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend)) {
      Region region = device.region(SHARED_MEMORY);

      assertThatIllegalArgumentException().isThrownBy(() -> region.map(8, 4096));
      assertThatIllegalArgumentException().isThrownBy(() -> region.map(0, 100));
      assertThatThrownBy(() -> region.map(0, 0)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> region.map(0, MEMORY_SIZE + 4096))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> region.map(MEMORY_SIZE, 4096))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> region.map(-4096, 4096))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> region.map(4096, Long.MAX_VALUE - 4095))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  /** The kernel keeps the rest of the page free of other devices. */
  @OnMachine("intel/legacy") // where the firmware gives it a page of its own
  @EachBackend
  void regionSmallerThanAPageIsMappedWhole(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend);
        MappedRegion registers = device.region(0).map()) {
      assertThat(registers.size()).isEqualTo(256);
      assertThat(registers.getInt(252)).isEqualTo(device.region(0).readInt(252));
      assertThatThrownBy(() -> registers.getInt(256)).isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @EachBackend
  void closedMappingIsRefused(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.IVSHMEM, backend)) {
      MappedRegion mapped = device.region(SHARED_MEMORY).map();
      MappedRegion other = device.region(SHARED_MEMORY).map();
      mapped.setLong(0, 9);

      mapped.close();
      mapped.close();

      assertThatIllegalStateException()
          .isThrownBy(() -> mapped.getLong(0))
          .withMessageContaining("region 2 of " + Machine.IVSHMEM);
      assertThatIllegalStateException().isThrownBy(() -> mapped.setLong(0, 1));
      assertThat(other.getLong(0)).isEqualTo(9);
    }
  }

  /** The kernel takes the mapping away and gives it back; the JVM turns the fault into an error. */
  @EachBackend
  void deviceWithItsMemorySwitchedOffFailsAndRecovers(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        MappedRegion registers = device.region(0).map()) {
      assertThat(registers.getInt(0)).isEqualTo(0x010000ed);

      device.pci().config().setMemoryEnabled(false);
      assertThatThrownBy(() -> registers.getInt(0)).isInstanceOf(InternalError.class);
      assertThatThrownBy(() -> device.region(0).readInt(0))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("pread on region 0 of " + Machine.EDU + ": EIO");

      device.pci().config().setMemoryEnabled(true);
      assertThat(registers.getInt(0)).isEqualTo(0x010000ed);
      assertThat(device.region(0).readInt(0)).isEqualTo(0x010000ed);
    }
  }

  @Test
  void readOnlyMemoryIsNoTargetOfARead() throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.IVSHMEM)) {
      Region region = device.region(SHARED_MEMORY);
      MemorySegment readOnly = arena.allocate(8).asReadOnly();
      MemorySegment heap = MemorySegment.ofArray(new byte[8]);
      region.writeLong(0, -1);

      assertThatIllegalArgumentException().isThrownBy(() -> region.read(0, readOnly));
      assertThatIllegalArgumentException().isThrownBy(() -> region.read(0, heap));

      assertThat(readOnly.get(JAVA_BYTE, 0)).isZero();
    }
  }
}
