package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.GroupDevice;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.handover.OpenFile;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only the legacy interface has, and what it is worth. */
@OnMachine({"intel/legacy", "smmuv3", "amd"})
@Bound(Device.EDU)
class ContainerExtrasTest {
  private static final long IOVA = 0x10000;
  private static final Path LIMIT =
      Path.of("/sys/module/vfio_iommu_type1/parameters/dma_entry_limit");

  private static GroupDevice edu(Container container) throws VfioException {
    return (GroupDevice) VfioDevice.open(Machine.EDU, container);
  }

  @Test
  void allMemoryThatAnIommuMapsCountsAsDirty() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Container container = Container.open();
        Edu edu = Edu.start(edu(container))) {
      Container.Migration migration = container.migration().orElseThrow();
      assertThat(migration.pageSizes()).isEqualTo(container.granule());
      assertThat(migration.largestBitmap()).isGreaterThanOrEqualTo(1L << 20);
      container.map(EduDma.pages(arena, 3), IOVA, READ_WRITE);
      container.map(EduDma.page(arena, 1), IOVA + 8 * PAGE, READ);
      DirtyBitmap bitmap = new DirtyBitmap(IOVA, 16 * PAGE, PAGE);

      container.setDirtyTracking(true);
      container.setDirtyTracking(true);
      EduDma.toDevice(edu, IOVA + 8 * PAGE);
      container.readAndClearDirty(bitmap);

      assertThat(bitmap.count()).isEqualTo(4);
      assertThat(bitmap.nextDirty(IOVA + 3 * PAGE)).isEqualTo(IOVA + 8 * PAGE);
      assertThat(bitmap.nextDirty(IOVA + 9 * PAGE)).isEqualTo(-1);
      bitmap.clear();
      container.readAndClearDirty(bitmap);
      assertThat(bitmap.isDirty(IOVA)).isTrue();
      assertThat(bitmap.isDirty(IOVA + 2 * PAGE)).isTrue();
      assertThat(bitmap.isDirty(IOVA + 8 * PAGE)).isTrue(); // the kernel adds some of the hole
    }
  }

  /** Which has the device's group, and so all that is mapped, until it ends itself. */
  @Test
  void nothingStaysMappedForWhoeverWasPassedADevice() throws IOException {
    long before = LockedMemory.bytes();
    try (Arena arena = Arena.ofConfined();
        OpenFile passed = mapAndPass(EduDma.pages(arena, 16))) {
      assertThat(passed.fd()).isPositive();
      assertThat(LockedMemory.bytes()).isEqualTo(before);
    }
  }

  private static OpenFile mapAndPass(MemorySegment memory) throws IOException {
    long before = LockedMemory.bytes();
    try (Container container = Container.open()) {
      OpenFile passed = OpenFile.of(edu(container));
      container.map(memory, IOVA, READ_WRITE);
      assertThat(LockedMemory.bytes()).isEqualTo(before + memory.byteSize());
      return passed;
    }
  }

  @Test
  void bitsThatAreSetSurviveTheKernelsWords() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Container container = Container.open();
        GroupDevice _ = edu(container)) {
      container.map(EduDma.pages(arena, 1), IOVA, READ_WRITE);
      container.map(EduDma.pages(arena, 2), IOVA + PAGE, READ_WRITE);
      container.setDirtyTracking(true);
      DirtyBitmap bitmap = new DirtyBitmap(IOVA, 8 * PAGE, PAGE);
      container.readAndClearDirty(bitmap);
      container.unmap(IOVA + PAGE, 2 * PAGE);

      container.readAndClearDirty(bitmap);

      assertThat(bitmap.count()).isEqualTo(3);
    }
  }

  @Test
  void unmappingTellsThePagesAndUnpinsThem() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Container container = Container.open();
        GroupDevice _ = edu(container)) {
      long before = LockedMemory.bytes();
      MemorySegment memory = EduDma.pages(arena, 5);
      DirtyBitmap bitmap = new DirtyBitmap(IOVA, 5 * PAGE, PAGE);
      container.map(memory, IOVA, READ_WRITE);

      assertThatThrownBy(() -> container.unmapAndReadDirty(bitmap))
          .isInstanceOfSatisfying(
              VfioException.class, e -> assertThat(e.errno()).contains(Errno.EINVAL));
      assertThat(LockedMemory.bytes()).isEqualTo(before + 5 * PAGE);
      container.setDirtyTracking(true);
      container.unmapAndReadDirty(bitmap);

      assertThat(bitmap.count()).isEqualTo(5);
      assertThat(LockedMemory.bytes()).isEqualTo(before);
      container.map(memory, IOVA, READ_WRITE);
    }
  }

  @Test
  void aRangeThatCutsAMappingOrIsNotTrackedIsRefused() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Container container = Container.open();
        GroupDevice _ = edu(container)) {
      container.map(EduDma.pages(arena, 4), IOVA, READ_WRITE);
      DirtyBitmap half = new DirtyBitmap(IOVA, 2 * PAGE, PAGE);

      assertThatThrownBy(() -> container.readAndClearDirty(half))
          .hasMessageContaining("EINVAL")
          .hasMessageContaining("does not collect");
      container.setDirtyTracking(true);
      assertThatThrownBy(() -> container.readAndClearDirty(half))
          .hasMessageContaining("cuts a mapping");
      container.setDirtyTracking(false);
      container.setDirtyTracking(false);
      assertThatThrownBy(() -> container.readAndClearDirty(new DirtyBitmap(IOVA, 4 * PAGE, PAGE)))
          .hasMessageContaining("does not collect");
      assertThat(half.count()).isZero();
    }
  }

  @Test
  void theOldTypeHasNoDirtyTracking() throws IOException {
    try (Container container = Container.open(Container.Type.TYPE1);
        GroupDevice _ = edu(container)) {
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> container.setDirtyTracking(true))
          .withMessageContaining("use TYPE1V2");
    }
  }

  @Test
  void theLimitOfMappingsIsToldBeforeAndAfter() throws IOException {
    String limit = Files.readString(LIMIT).strip();
    Files.writeString(LIMIT, "3");
    try (Arena arena = Arena.ofConfined();
        Container container = Container.open();
        GroupDevice _ = edu(container)) {
      MemorySegment page = EduDma.pages(arena, 1);
      assertThat(container.mappingsLeft()).hasValue(3);
      for (long i = 0; i < 3; i++) {
        container.map(page, IOVA + i * PAGE, READ);
      }
      assertThat(container.mappingsLeft()).hasValue(0);

      assertThatThrownBy(() -> container.map(page, IOVA + 3 * PAGE, READ))
          .isInstanceOfSatisfying(
              VfioException.class, e -> assertThat(e.errno()).contains(Errno.ENOSPC))
          .hasMessageContaining("vfio_iommu_type1.dma_entry_limit");

      container.unmap(IOVA, PAGE);
      assertThat(container.mappingsLeft()).hasValue(1);
      container.map(page, IOVA + 3 * PAGE, READ);
    } finally {
      Files.writeString(LIMIT, limit);
    }
  }

  @Test
  void memoryMovesInTheProcessWhileTheDeviceUsesIt(@TempDir Path directory) throws IOException {
    Path path = Files.write(directory.resolve("memory"), new byte[4 * PAGE]);
    try (FileChannel file =
            FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        Arena arena = Arena.ofConfined();
        Container container = Container.open();
        Edu edu = Edu.start(edu(container))) {
      MemorySegment moved = file.map(MapMode.READ_WRITE, 0, 4 * PAGE, arena);
      try (Arena first = Arena.ofConfined()) {
        MemorySegment memory = file.map(MapMode.READ_WRITE, 0, 4 * PAGE, first);
        EduDma.fill(memory.asSlice(0, PAGE), 1);
        container.map(memory, IOVA, READ_WRITE);
        EduDma.toDevice(edu, IOVA);
        container.moveMemory(IOVA, moved);
      }

      EduDma.fromDevice(edu, IOVA + 3 * PAGE);
      assertThat(moved.asSlice(3 * PAGE, PAGE).mismatch(EduDma.page(arena, 1))).isEqualTo(-1);
      container.moveMemory(IOVA, moved);
      EduDma.move(edu, IOVA + 3 * PAGE, IOVA + 2 * PAGE);
      assertThat(moved.asSlice(2 * PAGE, PAGE).mismatch(EduDma.page(arena, 1))).isEqualTo(-1);
      container.unmap(IOVA, 4 * PAGE);
    }
  }

  @Test
  @OnMachine(value = "intel/legacy", since = "6.6")
  void anIommufdInItsPlaceRefuses() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open();
        Container container = Container.open(iommufd, Container.Type.TYPE1V2);
        GroupDevice _ = edu(container)) {
      MemorySegment page = EduDma.pages(arena, 1);
      container.map(page, IOVA, READ_WRITE);
      DirtyBitmap bitmap = new DirtyBitmap(IOVA, PAGE, PAGE);

      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> container.setDirtyTracking(true))
          .withMessageContaining("ENOTTY");
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> container.readAndClearDirty(bitmap));
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> container.unmapAndReadDirty(bitmap));
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> container.moveMemory(IOVA, page))
          .withMessageContaining("VFIO_UPDATE_VADDR");
      assertThat(container.migration()).isEmpty();
      assertThat(container.mappingsLeft()).hasValue(0xffffffffL);
      container.unmap(IOVA, PAGE);
    }
  }

  @Test
  @OnMachine(value = "intel/legacy", since = "6.6")
  void withoutAnIommuOnlyWhatADriverPinsIsDirty() throws IOException {
    MediatedDevice mtty = SerialPort.create();
    try (Arena arena = Arena.ofConfined();
        Container container = Container.open();
        VfioDevice _ = VfioDevice.open(mtty, container)) {
      MemorySegment memory = EduDma.pages(arena, 4);
      container.map(memory, IOVA, READ_WRITE);
      container.setDirtyTracking(true);
      DirtyBitmap bitmap = new DirtyBitmap(IOVA, 4 * PAGE, PAGE);

      container.readAndClearDirty(bitmap);

      assertThat(bitmap.count()).isZero();
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> container.moveMemory(IOVA, memory));
    } finally {
      Sysfs.host().remove(mtty);
    }
  }
}
