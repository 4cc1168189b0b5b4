package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Interruption;
import io.github.vfio4j.cli.host.Transfer;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.host.WholeFile;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NamespaceChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Reads blocks of a disk into a file. */
@Command(
    name = "read",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Reads blocks of a disk into a file, which is whole then, or not there at all.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class NvmeReadCommand implements Callable<Integer> {
  private static final int AT_ONCE = 1 << 20;

  private final CommandHost host;
  private final OpenedDisk.Opener opener;

  @Parameters(index = "0", paramLabel = "DEVICE", description = DeviceName.DESCRIPTION_OF_ONE)
  private String name = "";

  @Parameters(index = "1", paramLabel = "FILE", description = "Where the blocks go.")
  private Path file = Path.of("");

  @Mixin private BlockRange range = new BlockRange();

  @Option(
      names = "--count",
      paramLabel = "NUMBER",
      description = "How many blocks (default: all that follow).")
  private long count = Long.MAX_VALUE;

  @Option(names = "--force", description = "Replace a file that is there already.")
  private boolean force;

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  NvmeReadCommand(CommandHost host, OpenedDisk.Opener opener) {
    this.host = host;
    this.opener = opener;
  }

  @Override
  public Integer call() throws IOException {
    if (count < 1) {
      throw new ParameterException(spec.commandLine(), "--count is at least 1, not " + count);
    }
    HostDevice named = DeviceName.find(host.sysfs(), name, spec.commandLine());
    HostDevice device = token.with(named, spec.commandLine());
    WholeFile target = WholeFile.of(file, force);
    try (OpenedDisk disk = OpenedDisk.open(device, opener)) {
      Namespace namespace = disk.controller().namespace(range.namespace());
      long start = range.start(namespace);
      if (start < 0) {
        throw new ParameterException(
            spec.commandLine(),
            "there is no %s: it has %d blocks".formatted(range, namespace.blocks()));
      }
      long bytes = Math.min(namespace.size() - start, bytes(namespace));
      try (NamespaceChannel from = disk.controller().open(namespace)) {
        Transfer transfer = new Transfer(host, "read");
        long read = target.fill(to -> copy(from.position(start), bytes, to, transfer));
        transfer.end(device.name(), read, file, json);
      }
    }
    return ExitStatus.DONE;
  }

  private long bytes(Namespace namespace) {
    return count > namespace.blocks() ? Long.MAX_VALUE : count * namespace.blockSize();
  }

  private static long copy(
      NamespaceChannel from, long bytes, WritableByteChannel to, Transfer transfer)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(AT_ONCE);
    long done = 0;
    while (done < bytes) {
      Interruption.check("read", from.toString());
      buffer.clear().limit((int) Math.min(AT_ONCE, bytes - done));
      from.read(buffer);
      done += buffer.flip().remaining();
      while (buffer.hasRemaining()) {
        to.write(buffer);
      }
      transfer.accept(done);
    }
    return done;
  }
}
