package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Interruption;
import io.github.vfio4j.cli.host.Transfer;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.host.WholeFile;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NamespaceChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a file to blocks of a disk. */
@Command(
    name = "write",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Writes a file to blocks of a disk, whose content is lost.",
    description =
        "%nAsks first, unless --yes is given. Of a last block that the file does not fill the rest"
            + " stays as it is.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class NvmeWriteCommand implements Callable<Integer> {
  private static final int AT_ONCE = 1 << 20;

  private final CommandHost host;
  private final OpenedDisk.Opener opener;

  @Parameters(index = "0", paramLabel = "DEVICE", description = DeviceName.DESCRIPTION_OF_ONE)
  private String name = "";

  @Parameters(index = "1", paramLabel = "FILE", description = "What is written.")
  private Path file = Path.of("");

  @Mixin private BlockRange range = new BlockRange();

  @Mixin private Consent consent = new Consent();

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  NvmeWriteCommand(CommandHost host, OpenedDisk.Opener opener) {
    this.host = host;
    this.opener = opener;
  }

  @Override
  public Integer call() throws IOException {
    consent.require(spec.commandLine());
    HostDevice named = DeviceName.find(host.sysfs(), name, spec.commandLine());
    HostDevice device = token.with(named, spec.commandLine());
    try (FileChannel source = WholeFile.read(file);
        OpenedDisk disk = OpenedDisk.open(device, opener)) {
      Namespace namespace = disk.controller().namespace(range.namespace());
      long bytes = source.size();
      long start = range.start(namespace);
      if (start < 0 || bytes > namespace.size() - start) {
        throw new ParameterException(
            spec.commandLine(),
            "%s does not fit into the %d blocks of %s: it has %s"
                .formatted(file, namespace.blocks(), range, Size.of(bytes)));
      }
      if (!consent.given("Write %s to %s, %s".formatted(Size.of(bytes), device.name(), range))) {
        host.out().println("Nothing was written.");
        return ExitStatus.FAILED;
      }
      try (NamespaceChannel to = disk.controller().open(namespace)) {
        Transfer transfer = new Transfer(host, "written");
        copy(source, to.position(start), bytes, transfer);
        to.force();
        transfer.end(device.name(), bytes, file, json);
      }
    }
    return ExitStatus.DONE;
  }

  private static void copy(FileChannel from, NamespaceChannel to, long bytes, Transfer transfer)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(AT_ONCE);
    long done = 0;
    while (done < bytes) {
      Interruption.check("write", to.toString());
      buffer.clear().limit((int) Math.min(AT_ONCE, bytes - done));
      if (from.read(buffer) < 0) {
        throw new IOException("the file has become shorter while it was read");
      }
      buffer.flip();
      while (buffer.hasRemaining()) {
        done += to.write(buffer);
      }
      transfer.accept(done);
    }
  }
}
