package io.github.vfio4j.bench;

import java.util.List;

/**
 * What is read from or written to a disk.
 *
 * @param write whether it is written
 * @param random whether the places are, or one follows the other
 * @param size bytes of one command
 * @param depth how many commands are under way in each queue pair
 * @param pairs how many queue pairs
 * @param driving which disk, and how
 */
record Transfers(boolean write, boolean random, int size, int depth, int pairs, Driving driving) {
  private static final int PLACES = 4096;

  /** Transfers of the usual disk, driven as the library does it by itself. */
  Transfers(boolean write, boolean random, int size, int depth, int pairs) {
    this(write, random, size, depth, pairs, Driving.USUAL);
  }

  /** The same, driven in another way. */
  Transfers by(Driving other) {
    return new Transfers(write, random, size, depth, pairs, other);
  }

  /** The first blocks of the commands, in order and over again; the same as in C. */
  long[] places(long blocks, int blockSize) {
    long count = blocks * blockSize / size;
    long[] places = new long[PLACES];
    Places order = new Places();
    for (int i = 0; i < PLACES; i++) {
      places[i] = (random ? order.below(count) : i % count) * (size / blockSize);
    }
    return places;
  }

  /** How many commands are under way in all. */
  int inFlight() {
    return depth * pairs;
  }

  /** A C program that does the same. */
  List<String> inC(String program, String what) {
    return List.of(
        program,
        what,
        write ? "write" : "read",
        random ? "random" : "sequential",
        Integer.toString(size),
        Integer.toString(depth),
        Integer.toString(pairs));
  }

  /** What has the kernel's driver do the same, in one queue. */
  List<String> byKernel() {
    return List.of(
        "nvme-kernel",
        write ? "write" : "read",
        random ? "random" : "sequential",
        Integer.toString(size),
        Integer.toString(depth));
  }
}
