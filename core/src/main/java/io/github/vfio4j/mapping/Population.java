package io.github.vfio4j.mapping;

import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace.Progress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Alignment;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.ThreadEnd;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Has the pages of memory there before they are pinned, in chunks and by several threads: pinning
 * would have them there one after another, and nothing stops it.
 *
 * <p>The caller is one of the threads, and has waited for the others when it returns, whatever is
 * thrown. What the kernel does here changes no byte, so that memory which its owner frees meanwhile
 * takes no harm, nor does what comes to lie there.
 */
final class Population {
  /** A whole number of huge pages, so that no two threads meet in one. */
  static final long CHUNK = 16 << 20;

  private static final long WORTH_THREADS = 64 << 20;
  private static final int MOST_THREADS = 8;

  private final Kernel kernel;
  private final String object;
  private final MemorySegment memory;
  private final int advice;
  private final Progress progress;
  private final long end;
  private final long chunks;
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong done = new AtomicLong();
  private final AtomicInteger refusal = new AtomicInteger();
  private final AtomicReference<@Nullable Throwable> thrownByHelper = new AtomicReference<>();

  /**
   * Makes a population that has not begun.
   *
   * @param object used in messages
   * @param memory native, of whole pages
   * @param advice which of {@link io.github.vfio4j.linux.MemoryAdvice}
   */
  Population(Kernel kernel, String object, MemorySegment memory, int advice, Progress progress) {
    this.kernel = kernel;
    this.object = object;
    this.memory = memory;
    this.advice = advice;
    this.progress = progress;
    this.end = memory.address() + memory.byteSize();
    this.chunks = (Alignment.up(end, CHUNK) - base()) / CHUNK;
  }

  private long base() {
    return memory.address() & -CHUNK;
  }

  /** Returns how many threads this takes where there are so many processors. */
  int threads(int processors) {
    long most = memory.byteSize() < WORTH_THREADS ? 1 : Math.min(MOST_THREADS, chunks);
    return (int) Math.min(most, processors);
  }

  /**
   * Does it, once.
   *
   * @param threads how many, this one counted
   * @return whether it is done; if not, this kernel does not do it, or not with such memory
   */
  boolean run(int threads) throws VfioException {
    try {
      touchAll(threads);
    } catch (VfioException | RuntimeException | Error e) {
      Throwable other = thrownByHelper.get();
      if (other != null && !other.equals(e)) {
        e.addSuppressed(other);
      }
      throw e;
    } finally {
      Reference.reachabilityFence(memory);
    }
    rethrow(thrownByHelper.get());
    if (Answer.is(refusal.get(), Errno.EINVAL)) {
      return false;
    }
    Answer.require("madvise", object, refusal.get(), meaning());
    return true;
  }

  private void touchAll(int threads) throws VfioException {
    List<Thread> helpers = new ArrayList<>();
    long told = 0;
    try {
      for (int i = 1; i < threads; i++) {
        helpers.add(
            Thread.ofPlatform().daemon().name("vfio4j touching memory").unstarted(this::help));
        helpers.getLast().start();
      }
      while (touchNext()) {
        told = tell(told);
        requireUninterrupted();
      }
      helpers.forEach(ThreadEnd::await);
      tell(told);
    } finally {
      stop();
      helpers.forEach(ThreadEnd::await);
    }
  }

  /** Tells of what is new, if anything is. */
  private long tell(long told) {
    long now = done.get();
    if (now > told) {
      progress.advanced(now, memory.byteSize());
    }
    return now;
  }

  private void help() {
    try {
      while (touchNext()) {
        // goes on until there is nothing left, or nothing wanted
      }
    } catch (Throwable e) {
      thrownByHelper.compareAndSet(null, e);
      stop();
    }
  }

  /** Touches one more chunk; returns whether there was one, and nothing has gone wrong. */
  private boolean touchNext() {
    long chunk = next.getAndIncrement();
    if (chunk >= chunks) {
      return false;
    }
    if (!memory.scope().isAlive()) {
      throw BadMapping.freed(object);
    }
    long first = Math.max(base() + chunk * CHUNK, memory.address());
    long length = Math.min(base() + (chunk + 1) * CHUNK, end) - first;
    int answer = kernel.madvise(first, length, advice);
    if (answer < 0) {
      refusal.compareAndSet(0, answer);
      stop();
      return false;
    }
    done.addAndGet(length);
    return true;
  }

  /** Has all threads find nothing more to do. */
  private void stop() {
    next.set(chunks);
  }

  private void requireUninterrupted() throws VfioException {
    if (next.get() < chunks && Thread.currentThread().isInterrupted()) {
      stop();
      VfioException failure =
          new VfioException(
              "madvise", object, null, "the thread was interrupted after " + extent());
      failure.initCause(new InterruptedException());
      throw failure;
    }
  }

  private static void rethrow(@Nullable Throwable thrown) {
    switch (thrown) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError(thrown);
    }
  }

  private String extent() {
    return "%d of %d bytes".formatted(done.get(), memory.byteSize());
  }

  private String meaning() {
    Errno errno = new Errno(Math.max(1, -refusal.get()));
    String why = "";
    if (errno.equals(Errno.EFAULT)) {
      why = "; the memory cannot be reached: the file behind it may be too short, for one";
    } else if (errno.equals(Errno.ENOMEM)) {
      why = "; memory has run out, or a part of this is not mapped in this process";
    } else if (errno.equals(Errno.EHWPOISON)) {
      why = "; the memory behind one of the pages is broken";
    }
    return "cannot touch more than " + extent() + " of memory" + why;
  }
}
