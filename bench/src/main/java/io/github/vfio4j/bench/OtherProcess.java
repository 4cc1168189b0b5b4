package io.github.vfio4j.bench;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/** What a program of its own measures, a process in each round: another JVM, for one. */
final class OtherProcess implements Workload {
  private final Program program;
  private Samples latencies = Samples.NONE;

  OtherProcess(Program program) {
    this.program = program;
  }

  /** What runs a class of this program in a JVM: its options, the class, and its arguments. */
  static List<String> jvm(String... rest) {
    Stream<String> beginning =
        Stream.of(
            ProcessHandle.current().info().command().orElse("java"),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"));
    return Stream.concat(beginning, Stream.of(rest)).toList();
  }

  @Override
  public double run(int operations) throws IOException {
    Round round = program.run(operations);
    latencies = round.latencies();
    return round.figure();
  }

  @Override
  public boolean isHere() {
    return false;
  }

  @Override
  public Samples latencies() {
    return latencies;
  }

  @Override
  public void close() {}
}
