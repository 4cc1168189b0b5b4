package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.QueuePair;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures how fast a disk is with this driver. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Measures how fast a disk is: commands a second, and how long they take.",
    description =
        "%nReads, unless --write is given: then what is on the namespace is lost, and it asks first,"
            + " unless --yes is given. Ctrl-C ends it early, with the result so far.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class NvmeBenchCommand implements Callable<Integer> {
  private static final double SECOND = 1e9;
  private static final int MOST_SECONDS = 1_000_000;

  private final CommandHost host;
  private final OpenedDisk.Opener opener;

  @Parameters(index = "0", paramLabel = "DEVICE", description = DeviceName.DESCRIPTION_OF_ONE)
  private String name = "";

  @Option(
      names = "--namespace",
      paramLabel = "NUMBER",
      description = "Which namespace (default: ${DEFAULT-VALUE}).")
  private int number = 1;

  @Option(names = "--write", description = "Write, instead of reading.")
  private boolean write;

  @Option(
      names = "--sequential",
      description = "One after the other, each queue pair from a place of its own; else at random.")
  private boolean sequential;

  @Option(
      names = "--size",
      paramLabel = "BYTES",
      description = "Bytes a command, whole blocks (default: ${DEFAULT-VALUE}).")
  private int size = 4096;

  @Option(
      names = "--depth",
      paramLabel = "NUMBER",
      description = "Commands at once in each queue pair (default: ${DEFAULT-VALUE}).")
  private int depth = 32;

  @Option(
      names = "--queues",
      paramLabel = "NUMBER",
      description = "Queue pairs, each with a thread (default: ${DEFAULT-VALUE}).")
  private int queues = 1;

  @Option(names = "--interrupts", description = "Wait for interrupts, instead of polling.")
  private boolean interrupts;

  @Option(
      names = "--seconds",
      paramLabel = "NUMBER",
      description = "How long (default: ${DEFAULT-VALUE}).")
  private int seconds = 10;

  @Mixin private Consent consent = new Consent();

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  NvmeBenchCommand(CommandHost host, OpenedDisk.Opener opener) {
    this.host = host;
    this.opener = opener;
  }

  @Override
  public Integer call() throws IOException {
    require(seconds >= 1 && seconds <= MOST_SECONDS, "--seconds", seconds);
    require(queues >= 1, "--queues", queues);
    require(depth >= 1, "--depth", depth);
    require(size >= 1, "--size", size);
    if (write) {
      consent.require(spec.commandLine());
    }
    HostDevice named = DeviceName.find(host.sysfs(), name, spec.commandLine());
    HostDevice device = token.with(named, spec.commandLine());
    try (OpenedDisk disk = OpenedDisk.open(device, opener)) {
      NvmeController controller = disk.controller();
      Namespace namespace = controller.namespace(number);
      require(
          size % namespace.blockSize() == 0
              && size <= Math.min(namespace.size(), controller.identity().maximumTransfer()),
          "--size",
          size);
      require(queues <= controller.mostQueuePairs(), "--queues", queues);
      String what =
          "Write to all of namespace %d of %s, %s"
              .formatted(number, device.name(), Size.of(namespace.size()));
      if (write && !consent.given(what)) {
        host.out().println("Nothing was written.");
        return ExitStatus.FAILED;
      }
      measure(disk, new Load.Kind(namespace, write, sequential, size));
    }
    return ExitStatus.DONE;
  }

  private void require(boolean fits, String option, int value) {
    if (!fits) {
      throw new ParameterException(
          spec.commandLine(), "%s cannot be %d here".formatted(option, value));
    }
  }

  private void measure(OpenedDisk disk, Load.Kind kind) throws VfioException {
    List<Load> loads = new ArrayList<>();
    for (int i = 0; i < queues; i++) {
      QueuePair pair = pair(disk.controller());
      // ends with the device, after the controller that may write to it
      DmaBuffer buffer = disk.device().addressSpace().allocate((long) depth * size);
      fill(buffer, i);
      loads.add(new Load(pair, kind, buffer, i));
    }
    LoadRun run = LoadRun.of(loads, seconds, this::tellSoFar);
    tell(disk.device().name(), run.latencies(), run.nanos() / SECOND);
  }

  private QueuePair pair(NvmeController controller) throws VfioException {
    try {
      return interrupts
          ? controller.createQueuePairWithInterrupt(depth)
          : controller.createQueuePair(depth);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** A disk that compresses would be too fast with zeroes. */
  private static void fill(DmaBuffer buffer, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    MemorySegment memory = buffer.segment();
    for (long at = 0; at + Long.BYTES <= memory.byteSize(); at += Long.BYTES) {
      memory.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
  }

  private void tellSoFar(long commands, long nanos) {
    host.hints().println("vfio4j: " + rates(commands, nanos / SECOND));
    host.hints().flush();
  }

  private String rates(long commands, double elapsed) {
    return String.format(
        Locale.ROOT,
        "%d commands in %.1f s (%.0f/s, %s/s)",
        commands,
        elapsed,
        commands / elapsed,
        Size.of(Math.round((double) commands * size / elapsed)));
  }

  private void tell(String device, Latencies latencies, double elapsed) {
    if (json) {
      Json.object()
          .with("address", device)
          .with("namespace", number)
          .with("operation", write ? "write" : "read")
          .with("sequential", sequential)
          .with("bytesPerCommand", size)
          .with("depth", depth)
          .with("queuePairs", queues)
          .with("interrupts", interrupts)
          .with("seconds", elapsed)
          .with("commands", latencies.count())
          .with("commandsPerSecond", latencies.count() / elapsed)
          .with("bytesPerSecond", (double) latencies.count() * size / elapsed)
          .with(
              "latencyNanoseconds",
              Json.object()
                  .with("p50", latencies.percentile(50))
                  .with("p90", latencies.percentile(90))
                  .with("p99", latencies.percentile(99))
                  .with("p99.9", latencies.percentile(99.9))
                  .with("p99.99", latencies.percentile(99.99))
                  .with("longest", latencies.longest())
                  .map())
          .print(host.out());
      return;
    }
    new Table("", 1)
        .add(device, rates(latencies.count(), elapsed))
        .add(
            "did",
            "%s %s of %s, %d at once in each of %d queue pairs, %s"
                .formatted(
                    sequential ? "sequential" : "random",
                    write ? "writes" : "reads",
                    Size.of(size),
                    depth,
                    queues,
                    interrupts ? "with interrupts" : "polled"))
        .add("50 % took", micros(latencies.percentile(50)))
        .add("90 %", micros(latencies.percentile(90)))
        .add("99 %", micros(latencies.percentile(99)))
        .add("99.9 %", micros(latencies.percentile(99.9)))
        .add("99.99 %", micros(latencies.percentile(99.99)))
        .add("the longest", micros(latencies.longest()))
        .lines()
        .forEach(host.out()::println);
  }

  private static String micros(long nanos) {
    return String.format(Locale.ROOT, "%.1f µs", nanos / 1e3);
  }
}
