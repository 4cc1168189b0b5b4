package io.github.vfio4j.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.IovaRange;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IovaAllocatorTest {

  private static final long PAGE = 4096;
  private static final long MIB = 1 << 20;

  private static IovaAllocator over(IovaRange... ranges) {
    return new IovaAllocator(PAGE, List.of(ranges));
  }

  @Test
  void handsOutTheLowestAddressFirstButNeverZero() {
    IovaAllocator allocator = over(new IovaRange(0, -1));
    assertThat(allocator.allocate(PAGE, PAGE)).isEqualTo(PAGE);
    assertThat(allocator.allocate(3 * PAGE, PAGE)).isEqualTo(2 * PAGE);
    assertThat(allocator.release(PAGE, PAGE)).isTrue();
    assertThat(allocator.allocate(2 * PAGE, PAGE)).isEqualTo(5 * PAGE);
    assertThat(allocator.allocate(PAGE, 1)).isEqualTo(PAGE);
  }

  @Test
  void addressZeroIsThereForThoseWhoAskForIt() {
    IovaAllocator allocator = over(new IovaRange(0, 2 * PAGE - 1));
    assertThat(allocator.allocate(2 * PAGE, PAGE)).isEqualTo(IovaAllocator.NONE);
    assertThat(allocator.reserve(0, 2 * PAGE)).isTrue();
    assertThat(allocator.release(0, PAGE)).isTrue();
    assertThat(allocator.allocate(PAGE, PAGE)).isEqualTo(IovaAllocator.NONE);
  }

  @Test
  void alignmentIsKeptAndTheGapBeforeItIsUsed() {
    IovaAllocator allocator = over(new IovaRange(PAGE, -1));
    assertThat(allocator.allocate(PAGE, 2 * MIB)).isEqualTo(2 * MIB);
    assertThat(allocator.allocate(MIB, PAGE)).isEqualTo(PAGE);
    assertThat(allocator.allocate(PAGE, Long.MIN_VALUE)).isEqualTo(Long.MIN_VALUE);
    assertThat(allocator.allocate(PAGE, Long.MIN_VALUE)).isEqualTo(IovaAllocator.NONE);
  }

  @Test
  void reachesTheLastByteOfTheAddressSpace() {
    IovaAllocator allocator = over(new IovaRange(-2 * PAGE, -1));
    assertThat(allocator.isAllowed(-PAGE, PAGE)).isTrue();
    assertThat(allocator.isAllowed(-1, 1)).isTrue();
    assertThat(allocator.isAllowed(-1, 2)).isFalse();
    assertThat(allocator.allocate(PAGE, PAGE)).isEqualTo(-2 * PAGE);
    assertThat(allocator.allocate(PAGE, PAGE)).isEqualTo(-PAGE);
    assertThat(allocator.allocate(PAGE, PAGE)).isEqualTo(IovaAllocator.NONE);
    assertThat(allocator.release(-PAGE, PAGE)).isTrue();
    assertThat(allocator.reserve(-PAGE, PAGE)).isTrue();
    assertThat(allocator.freeBytes()).isZero();
  }

  @Test
  void sizesPastTheEndDoNotWrapAround() {
    IovaAllocator allocator = over(new IovaRange(0, -1));
    long all = -PAGE;
    assertThat(allocator.reserve(2 * PAGE, all)).isFalse();
    assertThat(allocator.release(2 * PAGE, all)).isFalse();
    assertThat(allocator.isAllowed(2 * PAGE, all)).isFalse();
    assertThat(allocator.isAllowed(1, -1)).isTrue();
    assertThat(allocator.isAllowed(2, -1)).isFalse();
    assertThat(allocator.freeBytes()).isEqualTo(-1);
    assertThat(allocator.allocate(all, PAGE)).isEqualTo(PAGE);
    assertThat(allocator.freeBytes()).isEqualTo(PAGE);
    assertThat(allocator.allocate(all, Long.MIN_VALUE)).isEqualTo(IovaAllocator.NONE);
  }

  @Test
  void windowsBetweenTheRangesAreLeftAlone() {
    IovaRange below = new IovaRange(0xfedf_e000L, 0xfedf_ffffL);
    IovaRange above = new IovaRange(0xfef0_0000L, 0xfef0_0fffL);
    IovaAllocator allocator = over(above, below);
    assertThat(allocator.reserve(0xfee0_0000L, PAGE)).isFalse();
    assertThat(allocator.reserve(0xfedf_f000L, 2 * PAGE)).isFalse();
    assertThat(allocator.isAllowed(0xfedf_f000L, 2 * PAGE)).isFalse();
    assertThat(allocator.isAllowed(0xfedf_f000L, 0)).isFalse();
    assertThat(allocator.release(0xfee0_0000L, PAGE)).isFalse();
    assertThat(allocator.allocate(2 * PAGE, PAGE)).isEqualTo(below.first());
    assertThat(allocator.allocate(PAGE, PAGE)).isEqualTo(above.first());
    assertThat(allocator.allocate(PAGE, PAGE)).isEqualTo(IovaAllocator.NONE);
  }

  @Test
  void rangesThatTouchAreOneAndPartialPagesAreLeftOut() {
    IovaAllocator allocator =
        over(
            new IovaRange(0x1800, 0x27ff),
            new IovaRange(0x2800, 0x4800),
            new IovaRange(0x2000, 0x3000));
    assertThat(allocator.freeBytes()).isEqualTo(2 * PAGE);
    assertThat(allocator.allocate(2 * PAGE, PAGE)).isEqualTo(0x2000);
    assertThat(allocator.isAllowed(0x1800, 0x900)).isFalse();
  }

  @Test
  void onlyWhatWasTakenCanBeReleased() {
    IovaAllocator allocator = over(new IovaRange(PAGE, 10 * PAGE - 1));
    assertThat(allocator.allocate(4 * PAGE, PAGE)).isEqualTo(PAGE);
    assertThat(allocator.release(4 * PAGE, 2 * PAGE)).isFalse();
    assertThat(allocator.release(9 * PAGE, PAGE)).isFalse();
    assertThat(allocator.release(2 * PAGE, 2 * PAGE)).isTrue();
    assertThat(allocator.release(PAGE, 4 * PAGE)).isFalse();
    assertThat(allocator.freeBytes()).isEqualTo(7 * PAGE);
  }

  @Test
  void badNumbersAreNamedAndChangeNothing() {
    IovaAllocator allocator = over(new IovaRange(0, 100 * PAGE - 1));
    long before = allocator.freeBytes();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> allocator.allocate(0, PAGE))
        .withMessageContaining("0x0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> allocator.allocate(PAGE + 1, PAGE))
        .withMessageContaining("0x1001");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> allocator.allocate(PAGE, 3 * PAGE))
        .withMessageContaining("power of two");
    assertThatIllegalArgumentException().isThrownBy(() -> allocator.allocate(PAGE, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> allocator.reserve(0x1234, PAGE))
        .withMessageContaining("0x1234");
    assertThatIllegalArgumentException().isThrownBy(() -> allocator.release(PAGE, -1));
    assertThat(allocator.freeBytes()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 2, 4095, -4096})
  void aGranuleIsAPageSize(long granule) {
    assertThatIllegalArgumentException().isThrownBy(() -> new IovaAllocator(granule, List.of()));
  }

  @Test
  void anEmptySpaceHasRoomForNothing() {
    IovaAllocator allocator = new IovaAllocator(PAGE, List.of());
    assertThat(allocator.allocate(PAGE, PAGE)).isEqualTo(IovaAllocator.NONE);
    assertThat(allocator.reserve(0, PAGE)).isFalse();
    assertThat(allocator.release(0, PAGE)).isFalse();
  }

  @Test
  void anAlignedRequestFindsTheOneFitBehindManyMisfits() {
    IovaAllocator allocator = over(new IovaRange(PAGE, 4096 * PAGE - 1));
    assertThat(allocator.allocate(4095 * PAGE, PAGE)).isEqualTo(PAGE);
    for (long page = 2; page < 4096; page += 4) {
      assertThat(allocator.release(page * PAGE + PAGE, PAGE)).isTrue();
    }
    assertThat(allocator.release(4000 * PAGE, PAGE)).isTrue();
    assertThat(allocator.allocate(PAGE, 4 * PAGE)).isEqualTo(4000 * PAGE);
    assertThat(allocator.allocate(PAGE, 4 * PAGE)).isEqualTo(IovaAllocator.NONE);
  }

  @ParameterizedTest
  @CsvSource({"1, 40", "2, 300", "3, 300", "4, 2000"})
  void doesWhatAPageByPageModelDoes(long seed, int pages) {
    new IovaAllocatorModel(seed, pages).run(30_000);
  }

  @Test
  void aMillionLiveRegionsInHalfAMillionHolesStayBalanced() {
    int regions = 1_000_000;
    FreeExtents free = new FreeExtents();
    free.add(0, 2L * regions);
    for (int i = 0; i < regions; i++) {
      free.lowest(1);
      free.take(i, i + 1);
    }
    for (int i = 0; i < regions; i += 2) {
      assertThat(free.add(i, i + 1)).isTrue();
    }
    assertThat(free.total()).isEqualTo(regions + regions / 2);
    assertThat(free.height()).isLessThanOrEqualTo((int) (1.4405 * Math.log(500_003) / Math.log(2)));
    for (int i = 0; i < regions; i += 4) {
      assertThat(free.add(i + 1, i + 2)).isTrue();
    }
    assertThat(free.start(free.lowest(4))).isEqualTo(regions);
    assertThat(free.height()).isLessThanOrEqualTo((int) (1.4405 * Math.log(250_003) / Math.log(2)));
  }

  @Test
  void aMillionLiveRegionsAndNoJavaAllocation() throws ReflectiveOperationException {
    IovaAllocator allocator = over(new IovaRange(0, (1L << 48) - 1));
    int regions = 1_000_000;
    churn(allocator, regions);
    long before = AllocatedMemory.ofThisThread();
    boolean whole = churn(allocator, regions);
    long allocated = AllocatedMemory.ofThisThread() - before;
    assertThat(allocated).as("bytes in two million calls").isLessThan(regions / 10);
    assertThat(whole).isTrue();
    assertThat(allocator.freeBytes()).isEqualTo(1L << 48);
  }

  /** The kernel has unmapped by then, so there has to be room. */
  @Test
  void givingBackNeverAllocates() throws ReflectiveOperationException {
    IovaAllocator allocator = over(new IovaRange(0, (1L << 48) - 1));
    int regions = 100_000;
    for (int i = 1; i <= regions; i++) {
      allocator.allocate(PAGE, PAGE);
    }
    boolean whole = true;
    long before = AllocatedMemory.ofThisThread();
    for (int i = 1; i <= regions; i += 2) {
      whole &= allocator.release(i * PAGE, PAGE);
    }
    long allocated = AllocatedMemory.ofThisThread() - before;
    assertThat(allocated).as("bytes for 50,000 holes").isLessThan(20_000);
    assertThat(whole).isTrue();
  }

  /** Takes many pages and gives them back in an order that leaves as many holes as can be. */
  private static boolean churn(IovaAllocator allocator, int regions) {
    boolean whole = true;
    for (int i = 1; i <= regions; i++) {
      whole &= allocator.allocate(PAGE, PAGE) == i * PAGE;
    }
    for (int i = 1; i <= regions; i += 2) {
      whole &= allocator.release(i * PAGE, PAGE);
    }
    whole &= allocator.allocate(2 * PAGE, PAGE) == (regions + 1) * PAGE;
    whole &= allocator.release((regions + 1) * PAGE, 2 * PAGE);
    for (int i = 2; i <= regions; i += 2) {
      whole &= allocator.release(i * PAGE, PAGE);
    }
    return whole;
  }
}
