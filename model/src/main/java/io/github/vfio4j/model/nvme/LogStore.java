package io.github.vfio4j.model.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The logs of a controller. */
final class LogStore {
  static final int ERRORS = 1;
  static final int HEALTH = 2;
  static final int FIRMWARE = 3;
  static final int CHANGED_NAMESPACES = 4;

  /** How many failed commands it remembers. */
  static final int MOST_ERRORS = 16;

  private static final int ENTRY = 64;
  private static final int MOST_CHANGED = 1024;

  private record Failure(long count, int queue, int identifier, int status, int namespace) {}

  private final Deque<Failure> failures = new ArrayDeque<>();
  private final Set<Integer> changed = new TreeSet<>();
  private long failureCount;
  private int kelvin = 300;
  private boolean temperatureWarning;
  private long reads;
  private long writes;

  void failed(int queue, int identifier, int status, int namespace) {
    failureCount++;
    failures.addFirst(new Failure(failureCount, queue, identifier, status, namespace));
    if (failures.size() > MOST_ERRORS) {
      failures.removeLast();
    }
  }

  void changed(int namespace) {
    changed.add(namespace);
  }

  void setKelvin(int temperature) {
    kelvin = temperature;
  }

  int kelvin() {
    return kelvin;
  }

  void setTemperatureWarning(boolean warning) {
    temperatureWarning = warning;
  }

  void countRead() {
    reads++;
  }

  void countWrite() {
    writes++;
  }

  /** Returns a log as it is now. */
  Optional<byte[]> log(int identifier) {
    return switch (identifier) {
      case ERRORS -> Optional.of(errors());
      case HEALTH -> Optional.of(health());
      case FIRMWARE -> Optional.of(firmware());
      case CHANGED_NAMESPACES -> Optional.of(changedNamespaces());
      default -> Optional.empty();
    };
  }

  private static ByteBuffer over(byte[] log) {
    return ByteBuffer.wrap(log).order(ByteOrder.LITTLE_ENDIAN);
  }

  private byte[] errors() {
    byte[] bytes = new byte[MOST_ERRORS * ENTRY];
    ByteBuffer log = over(bytes);
    int at = 0;
    for (Failure failure : failures) {
      log.putLong(at, failure.count);
      log.putShort(at + 8, (short) failure.queue);
      log.putShort(at + 10, (short) failure.identifier);
      log.putShort(at + 12, (short) (failure.status << 1));
      log.putInt(at + 24, failure.namespace);
      at += ENTRY;
    }
    return bytes;
  }

  private byte[] health() {
    byte[] bytes = new byte[512];
    ByteBuffer log = over(bytes);
    log.put(0, (byte) (temperatureWarning ? 1 << 1 : 0));
    log.putShort(1, (short) kelvin);
    log.put(3, (byte) 100);
    log.put(4, (byte) 10);
    log.putLong(64, reads);
    log.putLong(80, writes);
    return bytes;
  }

  private static byte[] firmware() {
    byte[] bytes = new byte[512];
    ByteBuffer log = over(bytes);
    log.put(0, (byte) (2 << 4 | 1));
    log.put(8, "1.0     ".getBytes(StandardCharsets.US_ASCII));
    log.put(16, "2.0     ".getBytes(StandardCharsets.US_ASCII));
    return bytes;
  }

  private byte[] changedNamespaces() {
    byte[] bytes = new byte[MOST_CHANGED * Integer.BYTES];
    ByteBuffer log = over(bytes);
    if (changed.size() > MOST_CHANGED) {
      log.putInt(0, -1);
    } else {
      changed.forEach(log::putInt);
    }
    changed.clear();
    return bytes;
  }
}
