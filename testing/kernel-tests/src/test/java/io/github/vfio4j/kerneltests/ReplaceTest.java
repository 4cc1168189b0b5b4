package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.PageTable;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** A device's page table is replaced while the device does DMA through it. */
@OnMachine(value = "intel/scalable", since = "7.0")
class ReplaceTest extends EduTests {
  private static final int REPLACEMENTS = 400;
  private static final int AT_LEAST = 5;
  private static final int UNTOUCHED = -1;

  @Test
  void dmaMeetsTheSameMemoryInBothAddressSpaces() throws Exception {
    try (Arena arena = Arena.ofShared();
        Iommufd iommufd = Iommufd.open()) {
      Ioas one = iommufd.allocateIoas();
      Ioas two = iommufd.allocateIoas();
      replaceUnderDma(arena, edu(iommufd), one, two, one, two);
    }
  }

  @Test
  void dmaMeetsTheSameMemoryInBothPageTables() throws Exception {
    try (Arena arena = Arena.ofShared();
        Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas one = iommufd.allocateIoas();
      Ioas two = iommufd.allocateIoas();
      HwptPaging first = one.allocateHwpt(device);
      HwptPaging second = two.allocateHwpt(device);
      replaceUnderDma(arena, device, one, two, first, second);
    }
  }

  /**
   * Moves page after page through the device and compares what arrives. The driver of VT-d takes
   * the one page table away before it puts the other in place, so words of a transfer may be turned
   * away: one that was not written keeps what it had, and one that was not read is zero or of an
   * earlier page. It is never anything else. That of SMMUv3 does so too, and interrupts are turned
   * away there as well; but a guest's page tables it replaces in one step, see {@link
   * NestedDmaTest}.
   */
  private static void replaceUnderDma(
      Arena arena, CdevDevice device, Ioas one, Ioas two, PageTable first, PageTable second)
      throws Exception {
    MemorySegment memory = EduDma.pages(arena, 3);
    MemorySegment source = memory.asSlice(0, PAGE);
    MemorySegment target = memory.asSlice(PAGE, PAGE);
    MemorySegment beyond = memory.asSlice(2 * PAGE, PAGE);
    List<MemorySegment> possible = new ArrayList<>();
    possible.add(EduDma.pages(arena, 1));
    possible.add(EduDma.page(arena, UNTOUCHED));
    one.map(memory, IOVA, READ_WRITE);
    two.map(memory, IOVA, READ_WRITE);
    device.attach(first);
    try (var threads = Executors.newSingleThreadExecutor();
        Edu edu = Edu.start(device)) {
      EduDma.toDevice(edu, IOVA); // zeros, in place of what other tests have left in it
      Future<?> replacing = threads.submit(() -> replace(device, first, second));
      int sent = 0;
      while (!replacing.isDone() || sent < AT_LEAST) {
        possible.add(EduDma.page(arena, sent++));
        source.copyFrom(possible.getLast());
        target.copyFrom(possible.get(1));
        beyond.copyFrom(possible.get(1));

        EduDma.move(edu, IOVA, IOVA + PAGE);

        assertThat(source.mismatch(possible.getLast())).isEqualTo(-1);
        assertThat(beyond.mismatch(possible.get(1))).isEqualTo(-1);
        for (long at = 0; at < PAGE; at += Integer.BYTES) {
          int word = target.get(JAVA_INT, at);
          long where = at;
          assertThat(possible)
              .as("word %#x at %#x", word, at)
              .anyMatch(page -> page.get(JAVA_INT, where) == word);
        }
      }
      replacing.get();
      assertThat(device.attached()).containsSame(first);

      EduDma.fill(source, sent);
      EduDma.move(edu, IOVA, IOVA + PAGE);
      assertThat(target.mismatch(source)).isEqualTo(-1);
    }
  }

  private static Void replace(CdevDevice device, PageTable first, PageTable second)
      throws IOException {
    for (int i = 0; i < REPLACEMENTS / 2; i++) {
      device.attach(second);
      device.attach(first);
    }
    return null;
  }
}
