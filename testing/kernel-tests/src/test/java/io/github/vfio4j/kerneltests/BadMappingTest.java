package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.DmaAccess.WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaExhaustedException;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What cannot be mapped or unmapped is refused in words that say why, and changes nothing. */
@OnMachine(OnMachine.IOMMU)
@Bound(Device.EDU)
class BadMappingTest {
  private static final long IOVA = 0x10000;

  @EachBackend
  void memoryThatDoesNotFitIsRefused(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();
      long before = LockedMemory.bytes();
      MemorySegment memory = EduDma.pages(arena, 2);

      assertRefused(space, memory, IOVA + 1, READ, "IOVA 0x10001 is not a multiple of 4096");
      assertRefused(space, memory.asSlice(0, PAGE + 1), IOVA, READ, "size 4097 is not a multiple");
      assertRefused(space, memory.asSlice(8, PAGE), IOVA, READ, "address 0x");
      assertRefused(space, MemorySegment.ofArray(new byte[PAGE]), IOVA, READ, "heap");
      assertRefused(space, memory.asSlice(0, 0), IOVA, READ, "empty");
      assertRefused(space, memory.asReadOnly(), IOVA, WRITE, "read-only");
      assertRefused(space, memory.asReadOnly(), IOVA, READ_WRITE, "read-only");
      assertRefused(space, memory, -PAGE, READ, "wraps around");

      assertThat(LockedMemory.bytes()).isEqualTo(before);
      space.map(memory.asReadOnly(), IOVA, READ);
    }
  }

  private static void assertRefused(
      IoAddressSpace space, MemorySegment memory, long iova, DmaAccess access, String reason) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> space.map(memory, iova, access))
        .withMessageContaining(space.toString())
        .withMessageContaining(reason);
    if (iova == IOVA) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.map(memory, access))
          .withMessageContaining(reason);
    }
  }

  @EachBackend
  void mappingOverAnotherIsRefused(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = EduDma.pages(arena, 4);
      space.map(memory, IOVA, READ_WRITE);
      long before = LockedMemory.bytes();

      assertInUse(space, memory, IOVA);
      assertInUse(space, memory, IOVA - PAGE);
      assertInUse(space, memory, IOVA + 3 * PAGE);
      assertInUse(space, memory.asSlice(0, PAGE), IOVA + PAGE);
      assertInUse(space, EduDma.pages(arena, 6), IOVA - PAGE);

      assertThat(LockedMemory.bytes()).isEqualTo(before);
      space.map(memory, IOVA - 4 * PAGE, READ_WRITE);
      space.map(memory, IOVA + 4 * PAGE, READ_WRITE);
      space.unmap(IOVA, 4 * PAGE);
      space.map(memory.asSlice(PAGE, PAGE), IOVA + PAGE, READ_WRITE);
    }
  }

  private static void assertInUse(IoAddressSpace space, MemorySegment memory, long iova) {
    assertThatThrownBy(() -> space.map(memory, iova, READ_WRITE))
        .isInstanceOf(IovaInUseException.class)
        .hasMessageContaining("0x%x-0x%x".formatted(iova, iova + memory.byteSize() - 1))
        .hasMessageContaining("mapped already");
  }

  @EachBackend
  void onlyWholeMappingsAreUnmapped(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = EduDma.pages(arena, 2);
      space.map(memory, IOVA, READ_WRITE);
      space.map(memory, IOVA + 2 * PAGE, READ_WRITE);
      long before = LockedMemory.bytes();

      assertNotMapped(space, IOVA, PAGE, "the mapping there has 0x2000 bytes");
      assertNotMapped(space, IOVA, 4 * PAGE, "the mapping there has 0x2000 bytes");
      assertNotMapped(space, IOVA, 0, "the mapping there has 0x2000 bytes");
      assertNotMapped(space, IOVA + PAGE, PAGE, "no mapping starts there");
      assertNotMapped(space, 0, PAGE, "no mapping starts there");
      assertNotMapped(space, 0, -1, "no mapping starts there");
      assertThat(LockedMemory.bytes()).isEqualTo(before);
      space.unmap(IOVA, 2 * PAGE);
      assertNotMapped(space, IOVA, 2 * PAGE, "no mapping starts there");

      assertThat(LockedMemory.bytes()).isEqualTo(before - 2 * PAGE);
    }
  }

  private static void assertNotMapped(IoAddressSpace space, long iova, long size, String reason) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> space.unmap(iova, size))
        .withMessageContaining("0x%x bytes at 0x%x".formatted(size, iova))
        .withMessageContaining(reason);
  }

  /** The second page lies behind the end of the file, so the kernel gets no further than there. */
  @EachBackend
  void memoryThatIsHalfThereIsRefusedWhole(Backend backend) throws IOException {
    Path file = Files.createTempFile("half", null);
    try (Arena arena = Arena.ofConfined();
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      MemorySegment memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, 2 * PAGE, arena);
      channel.truncate(PAGE);
      IoAddressSpace space = device.addressSpace();
      long before = LockedMemory.bytes();

      assertThatThrownBy(() -> space.map(memory, IOVA, READ_WRITE))
          .isInstanceOfSatisfying(
              VfioException.class,
              e -> {
                assertThat(e.errno()).contains(Errno.EFAULT);
                assertThat(e).hasMessageContaining("0x10000-0x11fff");
              });

      assertThat(LockedMemory.bytes()).isEqualTo(before);
      space.map(memory.asSlice(0, PAGE), IOVA, READ_WRITE);
    } finally {
      Files.delete(file);
    }
  }

  @EachBackend
  @OnMachine({"intel", "smmuv3", "virtio"}) // AMD's holds more than a segment can
  void moreThanTheAddressSpaceHoldsIsRefused(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();
      long before = LockedMemory.bytes();

      assertThatThrownBy(() -> space.map(memoryOfBytes(1L << 48), READ))
          .isInstanceOf(IovaExhaustedException.class)
          .hasMessageContaining("no free range of 281474976710656 bytes");

      assertThat(LockedMemory.bytes()).isEqualTo(before);
    }
  }

  @SuppressWarnings("restricted") // nothing is ever there to be read
  private static MemorySegment memoryOfBytes(long size) {
    return MemorySegment.ofAddress(PAGE).reinterpret(size);
  }
}
