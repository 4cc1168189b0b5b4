package io.github.vfio4j.mock;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * One command to the mock IOMMU, {@code struct iommu_test_cmd}: a head, and arguments whose places
 * depend on the operation.
 */
final class MockCommand {
  private static final int REQUEST = ';' << 8 | 0x80 + 32;
  private static final int SIZE = 72;
  private static final long OPERATION = 4;
  private static final long OBJECT = 8;
  private static final long ARGUMENTS = 16;

  private final MockOperation operation;
  private final MemorySegment command = Arena.ofAuto().allocate(SIZE, Long.BYTES);

  /** Begins a command that names no object. */
  MockCommand(MockOperation operation) {
    this(operation, 0);
  }

  MockCommand(MockOperation operation, int object) {
    this.operation = operation;
    command.set(JAVA_INT, 0, SIZE);
    command.set(JAVA_INT, OPERATION, operation.number());
    command.set(JAVA_INT, OBJECT, object);
  }

  /**
   * Sets an argument.
   *
   * @param at where it is among the arguments
   */
  MockCommand with(long at, int value) {
    command.set(JAVA_INT, ARGUMENTS + at, value);
    return this;
  }

  MockCommand with(long at, long value) {
    command.set(JAVA_LONG, ARGUMENTS + at, value);
    return this;
  }

  int at(long at) {
    return command.get(JAVA_INT, ARGUMENTS + at);
  }

  long longAt(long at) {
    return command.get(JAVA_LONG, ARGUMENTS + at);
  }

  /** Carries the command out; what the kernel gives is in the arguments then. */
  MockCommand run(Mock mock) throws VfioException {
    int answer = answer(mock);
    if (answer < 0) {
      throw refused(answer);
    }
    return this;
  }

  /** Asks whether something is so, which the kernel denies with one of its errors. */
  boolean holds(Mock mock, Errno denial) throws VfioException {
    int answer = answer(mock);
    if (answer < 0 && answer != -denial.number()) {
      throw refused(answer);
    }
    return answer >= 0;
  }

  /** Carries the command out and answers as the kernel does. */
  int answer(Mock mock) {
    return Kernel.running().ioctl(mock.descriptor(), REQUEST, command);
  }

  private VfioException refused(int answer) {
    return new VfioException(operation.name(), "mock IOMMU", new Errno(-answer), "");
  }
}
