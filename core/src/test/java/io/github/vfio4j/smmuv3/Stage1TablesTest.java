package io.github.vfio4j.smmuv3;

import static io.github.vfio4j.smmuv3.PageFlag.DEVICE_MEMORY;
import static io.github.vfio4j.smmuv3.PageFlag.NOT_ACCESSED;
import static io.github.vfio4j.smmuv3.PageFlag.PRIVILEGED;
import static io.github.vfio4j.smmuv3.PageFlag.READ_ONLY;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Stage1TablesTest {
  private static final long BASE = 0x8000_0000L;
  private static final long PAGE = 0x1000;
  private static final long BLOCK = 0x20_0000;
  private static final List<PageFlag> FLAGS = List.of(PageFlag.values());

  private record Mapping(long output, PageFlag flag) {}

  private final MemorySegment memory = Arena.ofAuto().allocate(64 * PAGE, PAGE);

  private Stage1Tables tables(int inputBits) {
    return new Stage1Tables(memory, BASE, inputBits);
  }

  private TableWalker walker(int inputBits) {
    return new TableWalker(memory, BASE, BASE, 64 - inputBits);
  }

  private TableWalker.Hit walk(int inputBits, long input) {
    return requireNonNull(walker(inputBits).walk(input), "a translation fault");
  }

  private long descriptor(int inputBits, long input) {
    return walk(inputBits, input).descriptor();
  }

  private void requireUnmapped(int inputBits, long input) {
    assertThat(walker(inputBits).walk(input)).isNull();
  }

  // the bits by the Arm ARM: valid 0, page 1, AttrIndx 4:2, AP[1] 6, AP[2] 7, SH 9:8, AF 10, nG 11,
  // address 47:12, PXN 53, XN 54
  @Test
  void aPageHasTheBitsOfTheArchitecture() {
    Stage1Tables tables = tables(39);
    tables.map(0x1000, 0x4000_5000L, PAGE);
    tables.map(0x2000, 0x4000_6000L, PAGE, READ_ONLY);
    tables.map(0x3000, 0x4000_7000L, PAGE, PRIVILEGED);
    tables.map(0x4000, 0x4000_8000L, PAGE, NOT_ACCESSED);
    tables.map(0x5000, 0x0800_0000L, PAGE, DEVICE_MEMORY);
    tables.map(0x6000, 0xffff_ffff_f000L, PAGE, READ_ONLY, NOT_ACCESSED);

    assertThat(descriptor(39, 0x1000)).isEqualTo(0x0060_0000_4000_5f43L);
    assertThat(descriptor(39, 0x2000)).isEqualTo(0x0060_0000_4000_6fc3L);
    assertThat(descriptor(39, 0x3000)).isEqualTo(0x0060_0000_4000_7f03L);
    assertThat(descriptor(39, 0x4000)).isEqualTo(0x0060_0000_4000_8b43L);
    assertThat(descriptor(39, 0x5000)).isEqualTo(0x0060_0000_0800_0f47L);
    assertThat(descriptor(39, 0x6000)).isEqualTo(0x0060_ffff_ffff_fbc3L);
  }

  @Test
  void aBlockHasTheBitsOfTheArchitecture() {
    tables(39).map(BLOCK, 0x4040_0000L, BLOCK);

    assertThat(walk(39, BLOCK + 0x12_3456))
        .isEqualTo(new TableWalker.Hit(0x4052_3456L, 0x0060_0000_4040_0f41L, 2));
  }

  @Test
  void tablesPointToEachOther() {
    tables(48).map(0x0000_0080_4020_1000L, 0x4000_0000L, PAGE);

    // index 1 in each of four tables, which are the first four pages of the memory
    for (int level = 0; level < 3; level++) {
      assertThat(memory.get(JAVA_LONG, level * PAGE + 8)).isEqualTo(BASE + (level + 1) * PAGE | 3);
    }
    assertThat(memory.get(JAVA_LONG, 3 * PAGE + 8)).isEqualTo(0x0060_0000_4000_0f43L);
  }

  @ParameterizedTest
  @CsvSource({"48, 4", "40, 4", "39, 3", "31, 3", "30, 2", "25, 2"})
  void theWholeInputSpaceCanBeMapped(int inputBits, int levels) {
    Stage1Tables tables = tables(inputBits);
    long last = (1L << inputBits) - PAGE;
    requireUnmapped(inputBits, 0);
    requireUnmapped(inputBits, last);

    tables.map(last, 0x4000_0000L, PAGE);

    assertThat(walk(inputBits, last + 8))
        .isEqualTo(new TableWalker.Hit(0x4000_0008L, 0x0060_0000_4000_0f43L, 3));
    requireUnmapped(inputBits, 0);
    assertThat(tables.freeTables()).isEqualTo(64 - levels);
    assertThat(tables.root()).isEqualTo(BASE);
    assertThat(tables.inputBits()).isEqualTo(inputBits);
  }

  @Test
  void aRangeTakesBlocksWhereItCan() {
    Stage1Tables tables = tables(39);

    tables.map(BLOCK - PAGE, 0x4040_0000L - PAGE, PAGE + 2 * BLOCK + PAGE);

    assertThat(walk(39, BLOCK - 1).level()).isEqualTo(3);
    assertThat(walk(39, BLOCK).level()).isEqualTo(2);
    assertThat(walk(39, 3 * BLOCK - 1).level()).isEqualTo(2);
    assertThat(walk(39, 3 * BLOCK).level()).isEqualTo(3);
    assertThat(walk(39, 3 * BLOCK).output()).isEqualTo(0x4080_0000L);
    requireUnmapped(39, 3 * BLOCK + PAGE);
    requireUnmapped(39, BLOCK - PAGE - 1);
  }

  @Test
  void aRangeWhoseAddressesDoNotMatchTakesPages() {
    tables(39).map(BLOCK, 0x4040_1000L, BLOCK);

    assertThat(walk(39, BLOCK).level()).isEqualTo(3);
    assertThat(walk(39, 2 * BLOCK - 1).output()).isEqualTo(0x4060_0fffL);
  }

  @Test
  void aTableStaysWhereItIsAndIsUsedAgain() {
    Stage1Tables tables = tables(39);
    tables.map(BLOCK, 0x4000_0000L, PAGE);
    int free = tables.freeTables();
    tables.unmap(BLOCK, PAGE);
    requireUnmapped(39, BLOCK);

    tables.map(BLOCK, 0x4000_0000L, BLOCK);

    assertThat(walk(39, 2 * BLOCK - 1).level()).isEqualTo(3);
    assertThat(tables.freeTables()).isEqualTo(free);
  }

  @Test
  void remappingChangesAddressAndFlags() {
    Stage1Tables tables = tables(39);
    tables.map(BLOCK - PAGE, 0x4040_0000L - PAGE, PAGE + BLOCK);

    tables.remap(BLOCK - PAGE, 0x8080_0000L - PAGE, PAGE + BLOCK, READ_ONLY);

    assertThat(descriptor(39, BLOCK - PAGE)).isEqualTo(0x0060_0000_807f_ffc3L);
    assertThat(descriptor(39, BLOCK)).isEqualTo(0x0060_0000_8080_0fc1L);
  }

  @ParameterizedTest
  @ValueSource(longs = {25, 30, 39, 48})
  void whateverIsDoneTheWalkFindsWhatIsMapped(long bits) {
    int inputBits = (int) bits;
    Random random = new Random(bits);
    Stage1Tables tables = tables(inputBits);
    TableWalker walker = walker(inputBits);
    Map<Long, Mapping> mapped = new HashMap<>();
    long top = 1L << inputBits;
    List<Long> windows = List.of(0L, 3 * BLOCK, top / 2 - BLOCK, top - 2 * BLOCK);
    for (int step = 0; step < 2000; step++) {
      long start =
          windows.get(random.nextInt(windows.size()))
              + (random.nextBoolean() ? 0 : random.nextInt(512) * PAGE);
      long size = random.nextInt(4) == 0 ? BLOCK : (1 + random.nextInt(8)) * PAGE;
      long output = (1 + random.nextInt(1 << 20)) * (random.nextBoolean() ? PAGE : BLOCK);
      PageFlag flag = FLAGS.get(random.nextInt(FLAGS.size()));
      long end = start + size;
      int kind = random.nextInt(3);
      if (kind == 0) {
        boolean free = pages(start, end).stream().noneMatch(mapped::containsKey);
        if (taken(() -> tables.map(start, output, size, flag), free)) {
          put(mapped, start, end, output, flag);
        }
      } else {
        boolean whole =
            pages(start, end).stream().allMatch(mapped::containsKey)
                && blocksAreWhole(walker, start, end, kind == 1 ? output : start);
        if (kind == 1) {
          if (taken(() -> tables.remap(start, output, size, flag), whole)) {
            put(mapped, start, end, output, flag);
          }
        } else if (taken(() -> tables.unmap(start, size), whole)) {
          pages(start, end).forEach(mapped::remove);
        }
      }
      if (step % 50 == 0) {
        requireSame(walker, windows, mapped);
      }
    }
    requireSame(walker, windows, mapped);
    assertThat(mapped).isNotEmpty();
  }

  private static List<Long> pages(long start, long end) {
    return LongStream.iterate(start, page -> page < end, page -> page + PAGE).boxed().toList();
  }

  private static void put(
      Map<Long, Mapping> mapped, long start, long end, long output, PageFlag flag) {
    pages(start, end).forEach(page -> mapped.put(page, new Mapping(output + page - start, flag)));
  }

  private static boolean blocksAreWhole(TableWalker walker, long start, long end, long output) {
    for (long page = start; page < end; page += PAGE) {
      TableWalker.Hit hit = walker.walk(page);
      long first = page & -BLOCK;
      if (hit != null
          && hit.level() == 2
          && (first < start || first + BLOCK > end || (output + (first - start)) % BLOCK != 0)) {
        return false;
      }
    }
    return true;
  }

  /** Does it, and tells whether it was not refused, which has to be as expected. */
  private static boolean taken(Runnable change, boolean expected) {
    boolean taken = true;
    try {
      change.run();
    } catch (IllegalArgumentException e) {
      taken = false;
    }
    assertThat(taken).isEqualTo(expected);
    return taken;
  }

  private static void requireSame(
      TableWalker walker, List<Long> windows, Map<Long, Mapping> mapped) {
    for (long window : windows) {
      for (long page = window; page < window + 2 * BLOCK; page += PAGE) {
        TableWalker.Hit hit = walker.walk(page);
        Mapping found = hit == null ? null : new Mapping(hit.output(), flag(hit.descriptor()));
        assertThat(found).as("0x%x", page).isEqualTo(mapped.get(page));
      }
    }
  }

  private static PageFlag flag(long descriptor) {
    if ((descriptor & 0x80) != 0) {
      return READ_ONLY;
    }
    if ((descriptor & 0x40) == 0) {
      return PRIVILEGED;
    }
    return (descriptor & 0x400) == 0 ? NOT_ACCESSED : DEVICE_MEMORY;
  }

  @Test
  void anEntryOfSomebodyElsesIsNotFollowedOutOfTheMemory() {
    for (long elsewhere : new long[] {0, BASE - PAGE, BASE + 64 * PAGE, 0xffff_ffff_f000L}) {
      Stage1Tables tables = tables(39);
      tables.map(0, 0x4000_0000L, PAGE);
      memory.set(ValueLayout.JAVA_LONG, 0, elsewhere | 3);

      assertThatIllegalStateException()
          .isThrownBy(() -> tables.map(PAGE, 0x4000_0000L, PAGE))
          .withMessageContaining("somebody else");
      assertThatIllegalStateException().isThrownBy(() -> tables.unmap(0, PAGE));
    }
  }

  @Test
  void whatDoesNotFitIntoTheMemoryChangesNothing() {
    Stage1Tables tables = new Stage1Tables(memory.asSlice(0, 4 * PAGE), BASE, 39);
    tables.map(0, 0x4000_0000L, PAGE);
    assertThat(tables.freeTables()).isEqualTo(1);

    assertThatIllegalStateException()
        .isThrownBy(() -> tables.map(2 * BLOCK - PAGE, 0x4000_0000L, BLOCK))
        .withMessageContaining("2 tables are needed")
        .withMessageContaining("memory for 1");
    assertThatIllegalStateException().isThrownBy(() -> tables.map(1L << 30, 0x4000_0000L, PAGE));
    assertThat(tables.freeTables()).isEqualTo(1);
    requireUnmapped(39, 2 * BLOCK - PAGE);

    tables.map(1L << 30, 0x4000_0000L, BLOCK);
    assertThat(walk(39, 1L << 30).level()).isEqualTo(2);
    assertThat(tables.freeTables()).isZero();
  }

  @Test
  void badRangesAreRefusedAndChangeNothing() {
    Stage1Tables tables = tables(39);
    tables.map(BLOCK, 0x4000_0000L, BLOCK);
    tables.map(4 * BLOCK, 0x4000_0000L, PAGE);
    byte[] before = memory.toArray(JAVA_BYTE);
    long top = 1L << 39;
    List<ThrowingCallable> bad =
        List.of(
            () -> tables.map(0, 0, 0),
            () -> tables.map(0, 0, -PAGE),
            () -> tables.map(0, 0, 1),
            () -> tables.map(1, 0, PAGE),
            () -> tables.map(0, 1, PAGE),
            () -> tables.map(-PAGE, 0, PAGE),
            () -> tables.map(0, -PAGE, PAGE),
            () -> tables.map(top, 0, PAGE),
            () -> tables.map(top - PAGE, 0, 2 * PAGE),
            () -> tables.map(0, 0, top + PAGE),
            () -> tables.map(0, 1L << 48, PAGE),
            () -> tables.map(0, (1L << 48) - PAGE, 2 * PAGE),
            () -> tables.map(2 * BLOCK - PAGE, 0, 2 * PAGE),
            () -> tables.map(BLOCK - PAGE, 0, 2 * PAGE),
            () -> tables.map(4 * BLOCK, 0, PAGE),
            () -> tables.unmap(0, PAGE),
            () -> tables.unmap(BLOCK, PAGE),
            () -> tables.unmap(BLOCK + PAGE, BLOCK),
            () -> tables.unmap(BLOCK, BLOCK + PAGE),
            () -> tables.unmap(4 * BLOCK, 2 * PAGE),
            () -> tables.remap(0, 0, PAGE),
            () -> tables.remap(BLOCK, PAGE, BLOCK),
            () -> tables.remap(BLOCK, 0, PAGE),
            () -> tables.remap(4 * BLOCK, -PAGE, PAGE));
    for (ThrowingCallable call : bad) {
      assertThatIllegalArgumentException().as("call %d", bad.indexOf(call)).isThrownBy(call);
    }
    assertThat(memory.toArray(JAVA_BYTE)).isEqualTo(before);
  }

  @Test
  void memoryThatIsNotWholePagesIsRefused() {
    List<ThrowingCallable> bad =
        List.of(
            () -> new Stage1Tables(memory.asSlice(0, 0), BASE, 39),
            () -> new Stage1Tables(memory.asSlice(0, PAGE + 8), BASE, 39),
            () -> new Stage1Tables(memory.asSlice(8, PAGE), BASE, 39),
            () -> new Stage1Tables(MemorySegment.ofArray(new long[512]), BASE, 39),
            () -> new Stage1Tables(memory, BASE + 8, 39),
            () -> new Stage1Tables(memory, -PAGE, 39),
            () -> new Stage1Tables(memory, (1L << 48) - PAGE, 39),
            () -> tables(24),
            () -> tables(49));
    for (ThrowingCallable call : bad) {
      assertThatIllegalArgumentException().as("call %d", bad.indexOf(call)).isThrownBy(call);
    }
  }
}
