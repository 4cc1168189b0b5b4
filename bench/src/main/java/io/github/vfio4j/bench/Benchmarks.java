package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** All benchmarks. */
final class Benchmarks {
  private static final int PAGE = 4 << 10;
  private static final int TRANSFER = 128 << 10;
  private static final int HUGE_PAGE = 2 << 20;
  private static final int GIBIBYTE = 1 << 30;

  /** How often all of a queue is filled in a round. */
  private static final int BATCHES = 20;

  private static final Transfers SMALL = new Transfers(false, true, PAGE, 32, 1);
  private static final Transfers LARGE = new Transfers(false, false, TRANSFER, 32, 1);

  private static final Set<Measure> BOTH = EnumSet.allOf(Measure.class);

  /** As many rounds as are asked for. */
  private static final int ANY = Integer.MAX_VALUE;

  private static final List<Benchmark> ALL =
      List.of(
          map("map-4k-ioas", Backend.IOMMUFD, PAGE, 100),
          map("map-2m-ioas", Backend.IOMMUFD, HUGE_PAGE, 100),
          map("map-1g-ioas", Backend.IOMMUFD, GIBIBYTE, 2),
          map("map-4k-container", Backend.CONTAINER, PAGE, 100),
          map("map-2m-container", Backend.CONTAINER, HUGE_PAGE, 100),
          map("map-1g-container", Backend.CONTAINER, GIBIBYTE, 2),
          memory("untouched-4k", BOTH, 1, "ordinary", "untouched"),
          memory("populate-1-4k", BOTH, 1, "ordinary", "populated"),
          memory("populate-2-4k", Set.of(Measure.TIME), 2, "ordinary", "populated"),
          memory("populate-4-4k", Set.of(Measure.TIME), 4, "ordinary", "populated"),
          memory("untouched-thp", BOTH, 1, "transparent", "untouched"),
          memory("populate-1-thp", BOTH, 1, "transparent", "populated"),
          memory("populate-2-thp", Set.of(Measure.TIME), 2, "transparent", "populated"),
          memory("populate-4-thp", Set.of(Measure.TIME), 4, "transparent", "populated"),
          start("start-list", "exit", () -> List.of("vfio4j", "list"), "vfio4j-uncached", "list"),
          start("start-dma", "work", FirstDma::command, "first-dma"),
          start("start-dma-aot", "work", FirstDma::commandWithCache, "first-dma"),
          start("start-main-dma", "main", FirstDma::command, "first-dma"),
          start("start-main-dma-aot", "main", FirstDma::commandWithCache, "first-dma"),
          live("live-10-ioas", Backend.IOMMUFD, 10),
          live("live-1000-ioas", Backend.IOMMUFD, 1000),
          live("live-10000-ioas", Backend.IOMMUFD, 10_000),
          live("live-200000-ioas", Backend.IOMMUFD, 200_000),
          live("live-10-container", Backend.CONTAINER, 10),
          live("live-1000-container", Backend.CONTAINER, 1000),
          live("live-10000-container", Backend.CONTAINER, 10_000),
          live("live-200000-container", Backend.CONTAINER, 200_000),
          regions("place-10", 10, Regions.Choice::new),
          regions("place-1000", 1000, Regions.Choice::new),
          regions("place-100000", 100_000, Regions.Choice::new),
          regions("place-1000000", 1_000_000, Regions.Choice::new),
          regions("lookup-10", 10, Regions.Lookup::new),
          regions("lookup-1000", 1000, Regions.Lookup::new),
          regions("lookup-100000", 100_000, Regions.Lookup::new),
          regions("lookup-1000000", 1_000_000, Regions.Lookup::new),
          mmio("mmio-read-32", MmioAccess.Read32::new, "read", "32"),
          mmio("mmio-read-64", MmioAccess.Read64::new, "read", "64"),
          mmio("mmio-write-32", MmioAccess.Write32::new, "write", "32"),
          mmio("mmio-write-64", MmioAccess.Write64::new, "write", "64"),
          interrupt("interrupt", AwaitedInterrupt::here, "read"),
          interrupt("interrupt-ppoll", AwaitedInterrupt::here, "ppoll"),
          interrupt("interrupt-dispatched", DispatchedInterrupt::new, "epoll"),
          interrupt("interrupt-guest", AwaitedInterrupt::inGuest, "guest"),
          exit("exit-port", GuestExit::byPort, "port"),
          exit("exit-memory", GuestExit::byMemory, "memory"),
          cpu("nvme-cpu-read-4k-qd1", new Transfers(false, true, PAGE, 1, 1)),
          cpu("nvme-cpu-write-4k-qd1", new Transfers(true, true, PAGE, 1, 1)),
          cpu("nvme-cpu-read-4k-qd32", SMALL),
          cpu("nvme-cpu-write-4k-qd32", new Transfers(true, true, PAGE, 32, 1)),
          cpu("nvme-cpu-read-4k-2x32", new Transfers(false, true, PAGE, 32, 2)),
          cpu("nvme-cpu-read-128k-qd32", LARGE),
          cpu("nvme-cpu-read-128k-qd32-sgl", LARGE, Floor.program(LARGE.inC("nvme-sgl", "cpu"))),
          cpu("nvme-cpu-read-128k-qd32-prp", LARGE.by(Driving.LISTS)),
          cpu(
              "nvme-cpu-read-4k-qd32-cmb",
              SMALL.by(Driving.CONTROLLER_MEMORY),
              otherWay(NvmeCpu::new, SMALL.by(Driving.HOST_MEMORY))),
          latency("nvme-read-4k-qd1", new Transfers(false, true, PAGE, 1, 1)),
          latency("nvme-write-4k-qd1", new Transfers(true, true, PAGE, 1, 1)),
          collector("nvme-read-4k-qd1-serial", "-XX:+UseSerialGC"),
          collector("nvme-read-4k-qd1-g1", "-XX:+UseG1GC"),
          collector("nvme-read-4k-qd1-zgc", "-XX:+UseZGC"),
          rate("nvme-read-4k-qd32", SMALL),
          rate("nvme-write-4k-qd32", new Transfers(true, true, PAGE, 32, 1)),
          rate("nvme-read-4k-2x32", new Transfers(false, true, PAGE, 32, 2)),
          rate("nvme-read-128k-qd32", LARGE),
          rate("nvme-read-128k-qd32-sgl", LARGE, otherWay(NvmeRate::new, LARGE.by(Driving.LISTS))),
          rate(
              "nvme-read-4k-qd32-cmb",
              SMALL.by(Driving.CONTROLLER_MEMORY),
              otherWay(NvmeRate::new, SMALL.by(Driving.HOST_MEMORY))),
          kernel("nvme-kernel-read-4k-qd1", new Transfers(false, true, PAGE, 1, 1)),
          kernel("nvme-kernel-read-4k-qd32", SMALL),
          kernel("nvme-kernel-write-4k-qd32", new Transfers(true, true, PAGE, 32, 1)));

  private Benchmarks() {}

  /**
   * Finds benchmarks.
   *
   * @param measure what those without a name have to be good for
   * @param names which ones, or none for all
   * @throws IllegalArgumentException if there is none of a name
   */
  static List<Benchmark> chosen(Measure measure, List<String> names) {
    if (names.isEmpty()) {
      return ALL.stream().filter(each -> each.measures().contains(measure)).toList();
    }
    return names.stream().map(Benchmarks::named).toList();
  }

  private static Benchmark named(String name) {
    return ALL.stream()
        .filter(benchmark -> benchmark.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "There is no benchmark '%s'; there are: %s".formatted(name, names())));
  }

  private static String names() {
    return ALL.stream().map(Benchmark::name).collect(Collectors.joining(" "));
  }

  private static Benchmark map(String name, Backend backend, int size, int operations) {
    String space = backend == Backend.IOMMUFD ? "ioas" : "container";
    return new Benchmark(
        name,
        operations,
        ANY,
        BOTH,
        () -> new MapUnmap(backend, size),
        Floor.program("map", space, Integer.toString(size)));
  }

  /** In a JVM that takes itself to have so many processors, and populates by as many threads. */
  private static Benchmark memory(
      String name, Set<Measure> measures, int threads, String pages, String way) {
    return new Benchmark(
        name,
        1,
        ANY,
        measures,
        () -> ofJvm("-XX:ActiveProcessorCount=" + threads, LargeMemory.class.getName(), pages, way),
        Floor.program("populate", pages, way));
  }

  /** Finds a command, after what has to be made for it. */
  @FunctionalInterface
  private interface Command {
    List<String> get() throws IOException;
  }

  /** Whole processes; the span is one of the program {@code run}. */
  private static Benchmark start(String name, String span, Command java, String... floor) {
    return new Benchmark(
        name,
        1,
        ANY,
        BOTH,
        () -> new OtherProcess(new Program(run(span, java.get()))),
        Floor.program(run(span, List.of(floor))));
  }

  private static List<String> run(String span, List<String> command) {
    return Stream.concat(Stream.of("run", span), command.stream()).toList();
  }

  private static Workload ofJvm(String... rest) {
    return new OtherProcess(new Program(OtherProcess.jvm(rest)));
  }

  private static Benchmark live(String name, Backend backend, int live) {
    String space = backend == Backend.IOMMUFD ? "ioas" : "container";
    return new Benchmark(
        name,
        1000,
        3,
        BOTH,
        () -> new LiveMappings(backend, live),
        Floor.program("live", space, Integer.toString(live)));
  }

  /** Opens a workload among so many mappings. */
  @FunctionalInterface
  private interface Among {
    Workload open(int live) throws IOException;
  }

  private static Benchmark regions(String name, int live, Among java) {
    return new Benchmark(name, 1000, 3, BOTH, () -> java.open(live), Floor.NONE);
  }

  private static Benchmark mmio(String name, Workload.Opener java, String direction, String width) {
    return new Benchmark(name, 200_000, ANY, BOTH, java, Floor.program("mmio", direction, width));
  }

  private static Benchmark interrupt(String name, Workload.Opener java, String wait) {
    return new Benchmark(name, 100, ANY, BOTH, java, Floor.program("interrupt", wait));
  }

  private static Benchmark exit(String name, Workload.Opener java, String way) {
    return new Benchmark(name, 2000, ANY, BOTH, java, Floor.program("exit", way));
  }

  /** Has a disk do something. */
  @FunctionalInterface
  private interface OnDisk {
    Workload open(Transfers transfers) throws IOException;
  }

  private static Floor otherWay(OnDisk java, Transfers transfers) {
    return new Floor.OtherWay(() -> java.open(transfers));
  }

  private static Benchmark cpu(String name, Transfers transfers) {
    return cpu(name, transfers, Floor.program(transfers.inC("nvme", "cpu")));
  }

  private static Benchmark cpu(String name, Transfers transfers, Floor floor) {
    return new Benchmark(
        name, BATCHES * transfers.inFlight(), ANY, BOTH, () -> new NvmeCpu(transfers), floor);
  }

  private static Benchmark latency(String name, Transfers transfers) {
    int operations = 200;
    return new Benchmark(
        name,
        operations,
        ANY,
        Set.of(Measure.TIME),
        () -> new NvmeLatency(transfers, operations),
        Floor.program(transfers.inC("nvme", "latency")));
  }

  /** In ten rounds a million, which say something of the slowest of ten thousand. */
  private static Benchmark collector(String name, String option) {
    return new Benchmark(
        name,
        100_000,
        10,
        Set.of(Measure.TIME),
        () -> ofJvm(option, "-Xmx256m", CollectedLatency.class.getName()),
        Floor.program(CollectedLatency.TRANSFERS.inC("nvme", "latency")));
  }

  private static Benchmark rate(String name, Transfers transfers) {
    return rate(name, transfers, Floor.program(transfers.inC("nvme", "rate")));
  }

  private static Benchmark rate(String name, Transfers transfers, Floor floor) {
    return new Benchmark(
        name,
        BATCHES * transfers.inFlight(),
        ANY,
        Set.of(Measure.TIME),
        () -> new NvmeRate(transfers),
        floor);
  }

  /** Next to the kernel's own driver, where the floor is no C of ours. */
  private static Benchmark kernel(String name, Transfers transfers) {
    return new Benchmark(
        name,
        8192,
        ANY,
        Set.of(Measure.TIME),
        () -> new NvmeRate(transfers),
        Floor.program(transfers.byKernel()));
  }
}
