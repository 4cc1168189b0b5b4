package io.github.vfio4j.bench;

import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Measures benchmarks and writes each result to files and to the terminal. */
public final class Bench {
  /** How many mappings a container may have; 65,535 unless a system says otherwise. */
  private static final Path ENTRY_LIMIT =
      Path.of("/sys/module/vfio_iommu_type1/parameters/dma_entry_limit");

  private Bench() {}

  /**
   * Measures.
   *
   * <p>The programs in C are on the path.
   *
   * @param arguments what the guest's clock counts, {@code instructions} or {@code time}; the
   *     directory that gets tables and plots; the number of rounds to warm up; the number of
   *     rounds; and the benchmarks; without any, all that say something with this clock
   * @throws IOException if a device, a C program or a file fails
   */
  public static void main(String[] arguments) throws IOException {
    Measure measure = Measure.named(arguments[0]);
    Report report = new Report(Path.of(arguments[1]), measure);
    int warmUp = Integer.parseInt(arguments[2]);
    int rounds = Integer.parseInt(arguments[3]);
    List<Benchmark> benchmarks = List.of();
    try {
      benchmarks =
          Benchmarks.chosen(measure, Arrays.asList(arguments).subList(4, arguments.length));
    } catch (IllegalArgumentException e) {
      System.err.println("bench: " + e.getMessage());
      System.exit(2);
    }
    Sysfs sysfs = Sysfs.host();
    try (DriverBinding _ = DriverBinding.bind(sysfs, Devices.EDU);
        DriverBinding _ = DriverBinding.bind(sysfs, Devices.IVSHMEM);
        DriverBinding _ = DriverBinding.bind(sysfs, Devices.NVME);
        DriverBinding _ = DriverBinding.bind(sysfs, Devices.NVME_2); // of the same group
        DriverBinding _ = DriverBinding.bind(sysfs, Devices.NVME_WITH_MEMORY)) {
      Files.writeString(ENTRY_LIMIT, "1000000"); // for as many as there are benchmarks of
      System.out.println(Result.HEAD);
      for (Benchmark benchmark : benchmarks) {
        Result result = Comparison.of(benchmark, warmUp, rounds);
        System.out.println(result.forPeople());
        report.add(result);
      }
    }
  }
}
