package io.github.vfio4j.model.nvme;

import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The namespaces of a controller: what they hold, and which are attached to it. */
final class Stores {
  static final int INVALID_NAMESPACE = 0x00b;
  private static final int INVALID_FORMAT = 0x10a;
  private static final int NO_CAPACITY = 0x115;
  private static final int NO_IDENTIFIER = 0x116;
  private static final int ALREADY_ATTACHED = 0x118;
  private static final int NOT_ATTACHED = 0x11a;

  /** How many there can be. */
  static final int MOST = 16;

  /** Formats by index: blocks of 512 to 4096 bytes, and one with metadata. */
  static final int FORMATS = 5;

  static final int METADATA_FORMAT = 4;
  private static final int SMALLEST_SHIFT = 9;
  private static final long CAPACITY = 64L << 20;

  /** What a namespace holds. */
  record Store(MemorySegment bytes, int blockSize, @Nullable ZoneStates zones) {
    static Store of(long blocks, int blockSize) {
      return new Store(MemorySegment.ofArray(new byte[(int) blocks * blockSize]), blockSize, null);
    }

    Store with(ZoneStates states) {
      return new Store(bytes, blockSize, states);
    }

    long blocks() {
      return bytes.byteSize() / blockSize;
    }

    int format() {
      return Integer.numberOfTrailingZeros(blockSize) - SMALLEST_SHIFT;
    }

    MemorySegment part(long block, long count) {
      return bytes.asSlice(block * blockSize, count * blockSize);
    }
  }

  private final Map<Integer, Store> all = new TreeMap<>();
  private final Set<Integer> attached = new TreeSet<>();

  void add(Store store) {
    attached.add(all.size() + 1);
    all.put(all.size() + 1, store);
  }

  Optional<Store> attached(int id) {
    return attached.contains(id) ? Optional.ofNullable(all.get(id)) : Optional.empty();
  }

  /** Returns those of the attached ones that have zones, or that have none. */
  Collection<Integer> attached(boolean zoned) {
    return attached.stream().filter(id -> (zones(id) != null) == zoned).toList();
  }

  @Nullable ZoneStates zones(int id) {
    Store store = all.get(id);
    return store == null ? null : store.zones;
  }

  boolean haveZones() {
    return all.values().stream().anyMatch(store -> store.zones != null);
  }

  /** Closes zones that are open. */
  void stop() {
    for (Store store : all.values()) {
      if (store.zones != null) {
        store.zones.closeAll();
      }
    }
  }

  Collection<Integer> attached() {
    return attached;
  }

  Collection<Integer> allocated() {
    return all.keySet();
  }

  static int descriptor(int format) {
    return format == METADATA_FORMAT ? SMALLEST_SHIFT << 16 | 8 : (SMALLEST_SHIFT + format) << 16;
  }

  /** Makes a namespace, and returns its status, with the number in the result. */
  int create(long blocks, int format, int[] result) {
    if (format >= METADATA_FORMAT) {
      return INVALID_FORMAT;
    }
    int blockSize = 1 << (SMALLEST_SHIFT + format);
    long used = all.values().stream().mapToLong(store -> store.bytes.byteSize()).sum();
    if (blocks <= 0 || blocks > CAPACITY / blockSize || blocks * blockSize > CAPACITY - used) {
      return NO_CAPACITY;
    }
    int id = 1;
    while (all.containsKey(id)) {
      id++;
    }
    if (id > MOST) {
      return NO_IDENTIFIER;
    }
    all.put(id, Store.of(blocks, blockSize));
    result[0] = id;
    return 0;
  }

  int delete(int id) {
    if (id == -1) {
      all.clear();
      attached.clear();
      return 0;
    }
    attached.remove(id);
    return all.remove(id) == null ? INVALID_NAMESPACE : 0;
  }

  int attach(int id) {
    if (!all.containsKey(id)) {
      return INVALID_NAMESPACE;
    }
    return attached.add(id) ? 0 : ALREADY_ATTACHED;
  }

  int detach(int id) {
    return attached.remove(id) ? 0 : NOT_ATTACHED;
  }

  int format(int id, int format) {
    if (format >= METADATA_FORMAT) {
      return INVALID_FORMAT;
    }
    if (id == -1) {
      return all.keySet().stream().mapToInt(each -> format(each, format)).max().orElse(0);
    }
    Store store = all.get(id);
    if (store == null) {
      return INVALID_NAMESPACE;
    }
    if (store.zones != null) {
      store.bytes.fill((byte) 0);
      store.zones.reset();
      return format == store.format() ? 0 : INVALID_FORMAT;
    }
    int blockSize = 1 << (SMALLEST_SHIFT + format);
    all.put(id, Store.of(store.bytes.byteSize() / blockSize, blockSize));
    return 0;
  }
}
