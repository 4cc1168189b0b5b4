package io.github.vfio4j.mapping;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace.Progress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeAdvice;
import io.github.vfio4j.fake.FakeKernel;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.MemoryAdvice;
import io.github.vfio4j.linux.Pages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pages are touched once each, by threads that have all ended when it is over. */
class PopulationTest {
  private static final long PAGE = 4096;
  private static final long SIZE = 5 * Population.CHUNK;

  @TempDir Path root;
  private final Arena arena = Arena.ofConfined();
  private FakeKernel kernel;
  private MemorySegment memory;

  @BeforeEach
  void allocate() throws VfioException {
    kernel = new FakeMachine(root).kernel;
    memory = arena.allocate(SIZE + 2 * PAGE, PAGE).asSlice(PAGE, SIZE);
  }

  @AfterEach
  void nothingIsLeft() {
    arena.close();
    assertThat(Thread.interrupted()).isFalse();
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("vfio4j touching memory"));
  }

  private boolean populate(int threads, Progress progress) throws VfioException {
    return population(progress).run(threads);
  }

  private Population population(Progress progress) {
    return new Population(kernel, "space", memory, MemoryAdvice.POPULATE_WRITE, progress);
  }

  private List<FakeAdvice.Call> calls() {
    return kernel.advice().calls(MemoryAdvice.POPULATE_WRITE);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void everyByteIsTouchedOnceByAllThreads(int threads) throws VfioException {
    memory.set(JAVA_LONG, 0, 42);
    CountDownLatch all = new CountDownLatch(threads);
    kernel
        .advice()
        .refuse(
            call -> {
              all.countDown();
              awaitAll(all);
              return false;
            },
            Errno.EIO);

    assertThat(populate(threads, Progress.UNHEARD)).isTrue();

    long at = memory.address();
    for (FakeAdvice.Call call :
        calls().stream().sorted(Comparator.comparingLong(FakeAdvice.Call::address)).toList()) {
      assertThat(call.address()).isEqualTo(at);
      at += call.length();
    }
    assertThat(at).isEqualTo(memory.address() + SIZE);
    assertThat(calls().stream().map(FakeAdvice.Call::by).collect(Collectors.toSet()))
        .hasSize(threads);
    assertThat(memory.get(JAVA_LONG, 0)).isEqualTo(42);
  }

  private static void awaitAll(CountDownLatch all) {
    try {
      all.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  @SuppressWarnings("restricted") // nobody goes there
  void onlyMuchMemoryTakesSeveralThreads() {
    assertThat(population(Progress.UNHEARD).threads(2)).isEqualTo(2);
    assertThat(population(Progress.UNHEARD).threads(1)).isEqualTo(1);
    assertThat(population(Progress.UNHEARD).threads(100)).isBetween(5, 6);
    memory = memory.asSlice(0, 4 * Population.CHUNK - PAGE);
    assertThat(population(Progress.UNHEARD).threads(100)).isEqualTo(1);
    memory = MemorySegment.ofAddress(1L << 40).reinterpret(1L << 40);
    assertThat(population(Progress.UNHEARD).threads(100)).isEqualTo(8);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void progressGrowsToTheTotalAndIsHeardByTheCallerAlone(int threads) throws VfioException {
    List<Long> heard = new ArrayList<>();
    Thread caller = Thread.currentThread();

    populate(
        threads,
        (done, total) -> {
          assertThat(Thread.currentThread()).isSameAs(caller);
          assertThat(total).isEqualTo(SIZE);
          heard.add(done);
        });

    assertThat(heard).isSorted().doesNotHaveDuplicates().endsWith(SIZE);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 12, 14, 133})
  void aRefusalStopsAllThreadsAndIsTold(int number) {
    Errno errno = new Errno(number);
    kernel.advice().refuse(call -> true, errno);

    assertThatThrownBy(() -> populate(3, Progress.UNHEARD))
        .isInstanceOfSatisfying(
            VfioException.class,
            e -> {
              assertThat(e.operation()).isEqualTo("madvise");
              assertThat(e.object()).isEqualTo("space");
              assertThat(e.errno()).contains(errno);
              assertThat(e).hasMessageContaining("0 of %d bytes", SIZE);
            });

    assertThat(calls()).hasSizeLessThanOrEqualTo(3);
  }

  @Test
  void whatAnOldKernelDoesNotHaveIsNotDone() throws VfioException {
    kernel.advice().refuse(call -> true, Errno.EINVAL);

    List<Long> heard = new ArrayList<>();

    assertThat(populate(1, (done, total) -> heard.add(done))).isFalse();

    assertThat(heard).isEmpty();
    assertThat(calls()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void anInterruptStopsItAndStays(int threads) {
    Thread caller = Thread.currentThread();
    CountDownLatch interrupted = new CountDownLatch(1);
    kernel
        .advice()
        .refuse(
            call -> {
              if (call.by() == caller) {
                caller.interrupt();
                interrupted.countDown();
              } else {
                awaitAll(interrupted);
                pause(); // there are six chunks, and others would take all of them
              }
              return false;
            },
            Errno.EIO);

    assertThatThrownBy(() -> populate(threads, Progress.UNHEARD))
        .isInstanceOfSatisfying(
            VfioException.class, e -> assertThat(e.operation()).isEqualTo("madvise"))
        .hasMessageContaining("interrupted")
        .hasCauseInstanceOf(InterruptedException.class);

    assertThat(Thread.interrupted()).isTrue();
    assertThat(calls()).hasSizeLessThan(6);
  }

  private static void pause() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void whatTheListenerThrowsStopsIt(int threads) {
    IllegalStateException thrown = new IllegalStateException("for a test");

    assertThatThrownBy(
            () ->
                populate(
                    threads,
                    (done, total) -> {
                      throw thrown;
                    }))
        .isSameAs(thrown);
  }

  @Test
  void whatAHelperThrowsIsThrown() {
    Thread caller = Thread.currentThread();
    CountDownLatch helped = new CountDownLatch(1);
    LinkageError thrown = new LinkageError("for a test");
    kernel
        .advice()
        .refuse(
            call -> {
              if (call.by() == caller) {
                awaitAll(helped);
                return false;
              }
              helped.countDown();
              throw thrown;
            },
            Errno.EIO);

    assertThatThrownBy(() -> populate(2, Progress.UNHEARD)).isSameAs(thrown);
  }

  @Test
  void memoryThatIsFreedMeanwhileIsLeftAlone() {
    Pages pages = new Pages(kernel);
    assertThat(pages.map(SIZE, PAGE)).isPositive();
    memory = pages.segment();

    assertThatThrownBy(() -> populate(1, (done, total) -> pages.free()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("freed");

    assertThat(calls()).hasSize(1);
    assertThat(memory.scope().isAlive()).isFalse();
    assertThatThrownBy(() -> memory.get(JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
  }
}
