package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What is measured: one operation of the library, and the C program that does the same.
 *
 * @param name what the command line and the results call it
 * @param operations how many make one round
 * @param java opens the Java side
 * @param floor the C program and its arguments, to which the number of operations is added
 */
record Benchmark(String name, int operations, Workload.Opener java, List<String> floor) {
  private static final int PAGE = 4 << 10;
  private static final int HUGE_PAGE = 2 << 20;

  static final List<Benchmark> ALL =
      List.of(
          map("map-4k-ioas", Backend.IOMMUFD, PAGE),
          map("map-2m-ioas", Backend.IOMMUFD, HUGE_PAGE),
          map("map-4k-container", Backend.CONTAINER, PAGE),
          map("map-2m-container", Backend.CONTAINER, HUGE_PAGE),
          mmio("mmio-read-32", MmioAccess.Read32::new, "read", "32"),
          mmio("mmio-read-64", MmioAccess.Read64::new, "read", "64"),
          mmio("mmio-write-32", MmioAccess.Write32::new, "write", "32"),
          mmio("mmio-write-64", MmioAccess.Write64::new, "write", "64"),
          new Benchmark("interrupt", 100, InterruptLatency::new, List.of("interrupt")));

  static Benchmark named(String name) {
    return ALL.stream()
        .filter(benchmark -> benchmark.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "There is no benchmark '%s'; there are: %s"
                        .formatted(
                            name,
                            ALL.stream().map(Benchmark::name).collect(Collectors.joining(" ")))));
  }

  private static Benchmark map(String name, Backend backend, int size) {
    String space = backend == Backend.IOMMUFD ? "ioas" : "container";
    return new Benchmark(
        name,
        100,
        () -> new MapUnmap(backend, size),
        List.of("map", space, Integer.toString(size)));
  }

  private static Benchmark mmio(String name, Workload.Opener java, String direction, String width) {
    return new Benchmark(name, 200_000, java, List.of("mmio", direction, width));
  }
}
