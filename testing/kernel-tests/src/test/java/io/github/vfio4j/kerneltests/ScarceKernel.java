package io.github.vfio4j.kerneltests;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Untraced;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The running kernel, in which one allocation of memory fails: the n-th that it makes for system
 * calls of the library in the thread that made this object.
 *
 * <p>The kernel counts down a number of the thread, which is set right before each call and read
 * right after it, so that the allocations of the JVM itself do not count.
 */
final class ScarceKernel implements InvocationHandler, AutoCloseable {
  private static final int O_RDWR = 2;
  private static final Path DEBUG = Path.of("/sys/kernel/debug");

  private final Kernel real = Untraced.kernel();
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment number = arena.allocate(16);
  private final Thread thread = Thread.currentThread();
  private final int counter;
  private int left;
  private boolean failed;

  ScarceKernel() {
    counter = real.open("/proc/thread-self/fail-nth", O_RDWR);
    assertThat(counter).isNotNegative();
    linkEveryCall();
  }

  /**
   * Makes each call once, in vain: linking one takes memory of the virtual machine's own, and that
   * must not be what fails.
   */
  private void linkEveryCall() {
    real.pageSize();
    real.close(real.open("/dev/null", O_RDWR));
    real.close(real.eventfd(0, 0));
    real.close(real.epollCreate(0));
    real.close(real.memfdCreate("linked", 0));
    real.madvise(0, 0, 0);
    real.duplicate(-1);
    real.ioctl(-1, 0, number);
    real.ioctl(-1, 0, 0L);
    real.read(-1, number);
    real.write(-1, number);
    real.pread(-1, number, 0);
    real.pwrite(-1, number, 0);
    real.mmap(0, 0, 0, 0, -1, 0);
    real.munmap(1, 0);
    real.ftruncate(-1, 0);
    real.addSeals(-1, 0);
    real.epollControl(-1, 0, -1, number);
    real.epollWait(-1, number, 1, 0);
    real.poll(number, 0, number);
    real.statx(-1, arena.allocate(256));
    real.getrlimit(-1, number);
  }

  /** Lets all kinds of allocations fail, also those that could wait for memory, without a word. */
  static void prepare() throws IOException {
    for (String kind : new String[] {"failslab", "fail_page_alloc"}) {
      Files.writeString(DEBUG.resolve(kind).resolve("ignore-gfp-wait"), "N");
      Files.writeString(DEBUG.resolve(kind).resolve("verbose"), "0");
    }
    Files.writeString(DEBUG.resolve("fail_page_alloc/min-order"), "0");
    Files.writeString(DEBUG.resolve("fail_iommufd/verbose"), "0");
  }

  Kernel kernel() {
    return (Kernel)
        Proxy.newProxyInstance(Kernel.class.getClassLoader(), new Class<?>[] {Kernel.class}, this);
  }

  /** Lets the n-th allocation from now on fail, counted from 1; with 0, none. */
  void failAllocation(int n) {
    left = n;
    failed = false;
  }

  /** Lets nothing fail any more. */
  void stop() {
    left = 0;
  }

  /** Tells whether the kernel has made that allocation fail. */
  boolean hasFailed() {
    return failed;
  }

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments)
      throws IllegalAccessException, InvocationTargetException {
    if (left == 0 || Thread.currentThread() != thread) {
      return method.invoke(real, arguments);
    }
    write(left);
    try {
      return switch (method.getName()) { // those that are repeatable would not fail again
        case "repeatableIoctl" ->
            real.ioctl((int) arguments[0], (int) arguments[1], (MemorySegment) arguments[2]);
        case "repeatableRead" -> real.read((int) arguments[0], (MemorySegment) arguments[1]);
        case "repeatablePoll" ->
            real.poll(
                (MemorySegment) arguments[0], (int) arguments[1], (MemorySegment) arguments[2]);
        default -> method.invoke(real, arguments);
      };
    } finally {
      left = read();
      failed = left == 0;
      write(0);
    }
  }

  private void write(int value) {
    byte[] digits = Integer.toString(value).getBytes(StandardCharsets.US_ASCII);
    MemorySegment.copy(digits, 0, number, JAVA_BYTE, 0, digits.length);
    assertThat(real.pwrite(counter, number.asSlice(0, digits.length), 0)).isEqualTo(digits.length);
  }

  private int read() {
    int length = (int) real.pread(counter, number, 0);
    byte[] digits = number.asSlice(0, length).toArray(JAVA_BYTE);
    return Integer.parseInt(new String(digits, StandardCharsets.US_ASCII).strip());
  }

  @Override
  public void close() {
    real.close(counter);
    arena.close();
  }
}
