package io.github.vfio4j.bench;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/** What a program in Java measures that is run in a JVM of its own, one in each round. */
final class OtherJvm implements Workload {
  private final List<String> command;
  private Samples latencies = Samples.NONE;

  private OtherJvm(List<String> command) {
    this.command = command;
  }

  /**
   * Makes a workload.
   *
   * @param rest options of the JVM, the class, and its arguments, to which the number of operations
   *     is added
   */
  static OtherJvm of(String... rest) {
    return new OtherJvm(command(rest));
  }

  /** What runs a class of this program in such a JVM. */
  static List<String> command(String... rest) {
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
    Round round = Floor.of(command, operations).run();
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
