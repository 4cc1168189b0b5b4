package io.github.vfio4j.bench;

import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Measures benchmarks and writes each result as a line to a file and to the terminal. */
public final class Bench {
  private Bench() {}

  /**
   * Measures.
   *
   * @param arguments the directory of the C programs, the file that gets the result as comma
   *     separated values, the number of rounds to warm up, the number of rounds, and the
   *     benchmarks; without any, all
   * @throws IOException if a device, a C program or the file fails
   */
  public static void main(String[] arguments) throws IOException {
    Path programs = Path.of(arguments[0]);
    Path file = Path.of(arguments[1]);
    int warmUp = Integer.parseInt(arguments[2]);
    int rounds = Integer.parseInt(arguments[3]);
    List<Benchmark> benchmarks = Benchmark.ALL;
    if (arguments.length > 4) {
      try {
        benchmarks = Arrays.stream(arguments).skip(4).map(Benchmark::named).toList();
      } catch (IllegalArgumentException e) {
        System.err.println("bench: " + e.getMessage());
        System.exit(2);
      }
    }
    Sysfs sysfs = Sysfs.host();
    try (DriverBinding _ = DriverBinding.bind(sysfs, Devices.EDU);
        DriverBinding _ = DriverBinding.bind(sysfs, Devices.IVSHMEM)) {
      System.out.println(Result.HEAD);
      for (Benchmark benchmark : benchmarks) {
        Result result = Comparison.of(benchmark, programs, warmUp, rounds);
        System.out.println(result.forPeople());
        result.appendTo(file);
      }
    }
  }
}
