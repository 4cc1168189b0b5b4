package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What a test has go wrong in any call, whichever file it is for, and what was called. */
abstract class Interference {
  /** Rewrites a reply of the kernel before the library sees it. */
  public interface Tampering {
    void rewrite(Ioctl operation, MemorySegment reply);
  }

  private final List<String> log = new ArrayList<>();
  private final AtomicInteger calls = new AtomicInteger();
  private int failingCall = -1;
  private int callFailure;
  private @Nullable Error callThrows;
  private @Nullable Ioctl failingIoctl;
  private int ioctlFailure;
  private int closingFailure;
  private int filesFailure;
  private volatile int waitingFailure;
  private volatile int readingFailure;
  private volatile int unreadable;
  private @Nullable Tampering tampering;

  /** Makes the n-th call from now that can fail answer with an error, counted from 1. */
  public void failCall(int n, Errno errno) {
    failingCall = n;
    callFailure = -errno.number();
    callThrows = null;
    calls.set(0);
  }

  /** Makes the n-th call from now that can fail throw something, counted from 1. */
  public void throwFromCall(int n, Error thrown) {
    failingCall = n;
    callThrows = thrown;
    calls.set(0);
  }

  /** Returns whether the call of {@link #failCall} was reached. */
  public boolean hasFailed() {
    return calls.get() >= failingCall;
  }

  /** Makes every ioctl of a kind answer with an error, and no other kind. */
  public void fail(Ioctl operation, Errno errno) {
    failingIoctl = operation;
    ioctlFailure = -errno.number();
  }

  /** Ends {@link #fail}. */
  public void failNoMore() {
    failingIoctl = null;
  }

  /** Makes every closing of a file report an error, after it was closed. */
  public void failClosing(Errno errno) {
    closingFailure = -errno.number();
  }

  /** Makes every call that makes a file answer with an error. */
  public void noMoreFiles(Errno errno) {
    filesFailure = -errno.number();
  }

  /** Makes all waiting for events fail from the next one on. */
  public void failWaiting(Errno errno) {
    waitingFailure = -errno.number();
  }

  /** Ends {@link #failWaiting}. */
  public void waitAgain() {
    waitingFailure = 0;
  }

  /** Makes reading a file fail, or not any more. */
  public void failReading(int fd, @Nullable Errno errno) {
    readingFailure = errno == null ? 0 : -errno.number();
    unreadable = fd;
  }

  public void tamper(Tampering how) {
    tampering = how;
  }

  /** Returns which ioctls were issued, in order. */
  public List<String> log() {
    return log;
  }

  /** Makes a call that can fail, unless its turn has come. */
  final int attempt(IntSupplier call) {
    return (int) attemptLong(call::getAsInt);
  }

  /** Makes a call that makes a file, unless there are to be no more. */
  final int attemptFile(IntSupplier call) {
    return attempt(() -> filesFailure < 0 ? filesFailure : call.getAsInt());
  }

  final long attemptLong(LongSupplier call) {
    if (calls.incrementAndGet() != failingCall) {
      return call.getAsLong();
    }
    if (callThrows != null) {
      throw callThrows;
    }
    return callFailure;
  }

  /** Issues an ioctl, unless its kind is to fail; null is one that the file does not have. */
  final int issue(@Nullable Ioctl operation, IntSupplier ioctl) {
    if (operation == null) {
      return -Errno.ENOTTY.number();
    }
    log.add(operation.name());
    return operation == failingIoctl ? ioctlFailure : ioctl.getAsInt();
  }

  final void rewrite(Ioctl operation, MemorySegment reply) {
    if (tampering != null) {
      tampering.rewrite(operation, reply);
    }
  }

  final int waited(int ready) {
    return waitingFailure < 0 ? waitingFailure : ready;
  }

  final long attemptRead(int fd, LongSupplier read) {
    return fd == unreadable && readingFailure < 0 ? readingFailure : read.getAsLong();
  }

  final int closed(int answer) {
    return closingFailure < 0 ? closingFailure : answer;
  }
}
