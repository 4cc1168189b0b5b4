package io.github.vfio4j.kerneltests.sequences;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.kerneltests.sequences.World.Hardware;
import io.github.vfio4j.lab.OpenHandles;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Runs {@link Sequence}s and {@link Race}s in turn, each with a seed of its own. */
final class Sequences {
  private static final int STEPS = 500;

  /** Two edus and an NVMe controller. */
  private static final List<String> DEVICES =
      List.of("0000:00:05.0", "0000:00:0b.0", "0000:02:00.0");

  private Sequences() {}

  /**
   * Runs until the time is over, and at least one of each; ends with 1 at what is wrong first.
   *
   * @param arguments for how many seconds, and the first seed; the next ones are higher by one each
   */
  public static void main(String[] arguments) throws Exception {
    long end = System.nanoTime() + Long.parseLong(arguments[0]) * 1_000_000_000;
    long first = Long.parseLong(arguments[1]);
    Deque<DriverBinding> bindings = new ArrayDeque<>();
    boolean failed = false;
    try {
      for (String device : DEVICES) {
        bindings.push(DriverBinding.bind(Sysfs.host(), PciAddress.of(device)));
      }
      run(first, end);
    } catch (AssertionError e) {
      e.printStackTrace();
      failed = true;
    }
    if (failed) {
      System.exit(1); // what hangs may keep a device from being given back
    }
    for (DriverBinding binding : bindings) {
      binding.close();
    }
  }

  private static void run(long first, long end) throws Exception {
    List<Hardware> hardware = new ArrayList<>();
    for (PciAddress device : DEVICES.stream().map(PciAddress::of).toList()) {
      hardware.add(new Hardware(device));
    }
    OpenHandles before = OpenHandles.now();
    Tally inSequence = new Tally();
    Tally inRaces = new Tally();
    long seed = first;
    do {
      try (Arena arena = Arena.ofShared()) {
        new Sequence(seed, hardware, arena, inSequence).run(STEPS);
      }
      isClean(seed, before);
      new Race(seed, hardware, inRaces).run();
      isClean(seed, before);
      seed++;
    } while (System.nanoTime() < end);
    inSequence.table().forEach(System.out::println);
    inRaces.table().forEach(line -> System.out.println("raced: " + line));
    System.out.printf(
        "seeds %d to %d: %d calls in sequence, %d of them refused, and %d in races, %d of them"
            + " refused: all as the model says%n",
        first,
        seed - 1,
        inSequence.calls(),
        inSequence.refused(),
        inRaces.calls(),
        inRaces.refused());
  }

  private static void isClean(long seed, OpenHandles before) {
    List<String> left = OpenHandles.now().since(before);
    if (!left.isEmpty()) {
      throw new AssertionError("seed " + seed + " has left open: " + left);
    }
  }
}
