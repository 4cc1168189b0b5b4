package io.github.vfio4j.iommufd;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Step;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One object in the kernel's table of an iommufd, and what hangs on it.
 *
 * <p>The kernel destroys nothing that is in use, so closing an object closes first what was made
 * from it. All objects of one iommufd are made and destroyed under its monitor: a number could
 * otherwise name another object by the time it is used.
 */
final class IommufdObject {
  /** The kernel's numbers are higher. */
  private static final int NONE = 0;

  private final Iommufd iommufd;
  private final String kind;
  private final List<Dependents> owners;
  private final Dependents dependents = new Dependents();
  private final Dependents companions = new Dependents();
  private Step ending = () -> {};
  private int id = NONE;
  private boolean closed;

  /**
   * Makes room for an object, with the monitor of its iommufd held until the kernel was asked by
   * {@link #make}: then nothing is left to do that could fail. {@link #close} undoes both.
   *
   * @param kind what messages call it, without its number
   * @param owners of what it is made: it ends before any of them
   */
  IommufdObject(Iommufd iommufd, String kind, Dependents... owners) {
    this.iommufd = iommufd;
    this.kind = kind;
    this.owners = List.of(owners);
    for (Dependents owner : owners) {
      owner.add(this, this::close);
    }
  }

  /**
   * Asks the kernel to make the object, and takes over its number, whatever is thrown.
   *
   * @param idOffset where in the request the number is then
   * @return the kernel's answer
   */
  int make(Ioctl operation, MemorySegment request, long idOffset) {
    int answer;
    try {
      answer = iommufd.ioctl(operation, request);
    } finally {
      id = request.get(JAVA_INT, idOffset);
    }
    if (answer < 0) {
      id = NONE;
    }
    return answer;
  }

  /** Takes over an object that the kernel has made for another process. */
  void take(int number) {
    id = number;
  }

  /** Returns whether the kernel has made it. */
  boolean isMade() {
    return id != NONE;
  }

  /** Gives the object a file or a mapping that keeps it in use, and has to be closed before it. */
  void endWith(Step step) {
    ending = step;
  }

  /** What was made from it and may be busy: page tables, and what has some. */
  Dependents dependents() {
    return dependents;
  }

  /** What devices on those page tables need, so that it ends after them: numbers and queues. */
  Dependents companions() {
    return companions;
  }

  Iommufd iommufd() {
    return iommufd;
  }

  int id() {
    return id;
  }

  /** Refuses a closed object. Called with the monitor of the iommufd held. */
  void requireOpen() {
    if (closed) {
      throw new IllegalStateException(this + " is closed");
    }
    iommufd.requireOpen();
  }

  /**
   * Destroys the object after what hangs on it, unless that has been done. After a refusal it may
   * be asked again.
   *
   * @throws DeviceBusyException if a device uses it or something made from it; it stays usable
   */
  void close() throws VfioException {
    Closing closing = new Closing();
    synchronized (iommufd) {
      if (!closed && !isMade()) {
        closing.attempt(ending);
        leave();
      } else if (!closed && iommufd.isInUse(this, dependents)) {
        destroy(closing); // which the kernel refuses, and what hangs on it has not ended by then
      } else if (!closed && (dependents.close(closing) || iommufd.isClosed())) {
        companions.close(closing);
        closing.attempt(ending);
        destroy(closing);
      }
    }
    closing.rethrow();
  }

  private void destroy(Closing closing) {
    int answer = iommufd.destroy(id);
    // what was made for a device the kernel destroys along with the device
    if (answer < 0 && !Answer.is(answer, Errno.ENOENT)) {
      closing.add(
          Answer.failure(
              Ioctl.IOMMU_DESTROY,
              toString(),
              answer,
              Answer.is(answer, Errno.EBUSY)
                  ? "a device or another object uses it; detach or close that first"
                  : ""));
      if (!iommufd.isClosed()) {
        return;
      }
    }
    leave();
  }

  private void leave() {
    closed = true;
    for (Dependents owner : owners) {
      owner.remove(this);
    }
  }

  /** Returns whether an object was made from another, or from one that was. */
  static boolean reach(Dependents made, Object object) {
    return made.anyMatch(
        dependent ->
            dependent.equals(object)
                || (dependent instanceof IommufdObject between
                    && reach(between.dependents, object)));
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return kind + " " + Integer.toUnsignedString(id);
  }
}
