package io.github.vfio4j.bench;

import java.io.IOException;
import java.util.List;

/** What {@link CollectedLatency} measures, in a JVM of its own. */
final class OtherJvm implements Workload {
  private final List<String> command;
  private Samples latencies = Samples.NONE;

  private OtherJvm(List<String> command) {
    this.command = command;
  }

  /**
   * Makes a workload whose rounds are a JVM each.
   *
   * @param option which garbage collector that one has
   */
  static OtherJvm with(String option) {
    return new OtherJvm(
        List.of(
            ProcessHandle.current().info().command().orElse("java"),
            "--enable-native-access=ALL-UNNAMED",
            option,
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            CollectedLatency.class.getName()));
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
