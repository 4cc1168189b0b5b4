package io.github.vfio4j.model.nvme;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The features of a controller: what they are now, were made with, and are saved as. */
final class FeatureStore {
  static final int TEMPERATURE_THRESHOLD = 0x04;
  static final int QUEUES = 0x07;
  static final int EVENTS = 0x0b;
  static final int KEEP_ALIVE = 0x0f;
  static final int COMMAND_SETS = 0x19;

  static final int HOTTEST_KELVIN = 343;
  static final int INVALID_FIELD = 0x002;
  private static final int NOT_SAVEABLE = 0x10d;
  private static final int NOT_CHANGEABLE = 0x10e;

  private static final int SAVEABLE = 1;
  private static final int CHANGEABLE = 1 << 2;

  /** Those bits of the value that say which of several of a feature is meant. */
  private static final int THRESHOLD_OF = 0x3f << 16;

  private static final int UNDER = 1 << 20;

  private static final Set<Integer> SAVED_ONES = Set.of(TEMPERATURE_THRESHOLD, 0x06);

  /** By number, with the bits that say which one in the upper half. */
  private final Map<Integer, Integer> defaults;

  private final Map<Integer, Integer> saved = new TreeMap<>();
  private final Map<Integer, Integer> current = new TreeMap<>();

  FeatureStore(int queues) {
    defaults =
        Map.ofEntries(
            Map.entry(0x01, 0),
            Map.entry(0x02, 0),
            Map.entry(TEMPERATURE_THRESHOLD, HOTTEST_KELVIN),
            Map.entry(TEMPERATURE_THRESHOLD | UNDER, 0),
            Map.entry(0x05, 0),
            Map.entry(0x06, 1),
            Map.entry(QUEUES, queues),
            Map.entry(0x08, 0),
            Map.entry(0x0a, 0),
            Map.entry(EVENTS, 0),
            Map.entry(KEEP_ALIVE, 0),
            Map.entry(COMMAND_SETS, 0));
    reset();
  }

  /** Forgets what was not saved. */
  void reset() {
    current.clear();
    current.putAll(defaults);
    current.putAll(saved);
  }

  int value(int feature) {
    return current.getOrDefault(feature, 0);
  }

  int underTemperature() {
    return value(TEMPERATURE_THRESHOLD | UNDER);
  }

  private static int key(int word10, int word11) {
    int id = word10 & 0xff;
    return id == TEMPERATURE_THRESHOLD ? id | (word11 & THRESHOLD_OF) : id;
  }

  /** Carries out Get Features, and returns the status. */
  int get(int word10, int word11, int[] result) {
    int key = key(word10, word11);
    if (!defaults.containsKey(key)) {
      return INVALID_FIELD;
    }
    int id = word10 & 0xff;
    switch (word10 >>> 8 & 7) {
      case 0 -> result[0] = value(key);
      case 1 -> result[0] = defaults.getOrDefault(key, 0);
      case 2 -> result[0] = saved.getOrDefault(key, defaults.getOrDefault(key, 0));
      case 3 -> result[0] = CHANGEABLE | (SAVED_ONES.contains(id) ? SAVEABLE : 0);
      default -> {
        return INVALID_FIELD;
      }
    }
    return 0;
  }

  /** Carries out Set Features, and returns the status. */
  int set(int word10, int word11, int[] result) {
    int key = key(word10, word11);
    int id = word10 & 0xff;
    if (!defaults.containsKey(key)) {
      return INVALID_FIELD;
    }
    if (id == QUEUES) {
      result[0] = value(QUEUES);
      return 0;
    }
    if (id == 0x0a && word11 >>> 1 != 0) {
      return NOT_CHANGEABLE;
    }
    if (word10 < 0) { // the bit that says that it is to be saved
      if (!SAVED_ONES.contains(id)) {
        return NOT_SAVEABLE;
      }
      saved.put(key, word11 & ~(id == TEMPERATURE_THRESHOLD ? THRESHOLD_OF : 0));
    }
    current.put(key, word11 & ~(id == TEMPERATURE_THRESHOLD ? THRESHOLD_OF : 0));
    return 0;
  }
}
