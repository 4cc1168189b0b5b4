package io.github.vfio4j.mapping;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DmaAccess;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MappingTableTest {
  private static final MemorySegment MEMORY = MemorySegment.NULL;

  private static void enter(MappingTable table, long iova, long size) {
    table.makeRoom();
    table.add(iova, size, MEMORY, DmaAccess.READ);
  }

  private static void remove(MappingTable table, long iova) {
    int slot = table.find(iova, table.sizeAt(iova));
    if (slot >= 0) {
      table.removeAt(slot);
    }
  }

  @Test
  void behavesLikeAMapThroughCollisionsAndGrowth() {
    MappingTable table = new MappingTable();
    Map<Long, Long> model = new HashMap<>();
    Random random = new Random(7);
    for (int step = 0; step < 200_000; step++) {
      long iova = (long) random.nextInt(3000) << 12;
      Long known = model.get(iova);
      assertThat(table.sizeAt(iova)).isEqualTo(known == null ? 0 : known);
      if (known == null) {
        long size = (random.nextInt(9) + 1) * 4096L;
        enter(table, iova, size);
        model.put(iova, size);
      } else {
        remove(table, iova);
        model.remove(iova);
      }
      assertThat(table.count()).isEqualTo(model.size());
    }
    model.forEach((iova, size) -> assertThat(table.sizeAt(iova)).isEqualTo(size));
  }

  @Test
  void removingWhatIsNotThereChangesNothing() {
    MappingTable table = new MappingTable();
    enter(table, 0, 4096);

    remove(table, 4096);

    assertThat(table.sizeAt(0)).isEqualTo(4096);
    assertThat(table.count()).isEqualTo(1);
  }

  @Test
  void allocatesNothingOnceItHasGrown() throws Exception {
    MappingTable table = new MappingTable();
    churn(table, 1);

    long before = AllocatedMemory.ofThisThread();
    churn(table, 100);

    long allocated = AllocatedMemory.ofThisThread() - before;
    assertThat(allocated).as("bytes in 200,000 calls").isLessThan(20_000);
  }

  private static void churn(MappingTable table, int rounds) {
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < 1000; i++) {
        enter(table, (long) i << 12, 4096);
      }
      for (int i = 0; i < 1000; i++) {
        remove(table, (long) i << 12);
      }
    }
  }
}
