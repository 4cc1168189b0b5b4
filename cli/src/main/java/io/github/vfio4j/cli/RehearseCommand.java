package io.github.vfio4j.cli;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * Does quietly what the other commands do, so that the Java virtual machine can record what it
 * loads for them; {@code bin/vfio4j --make-cache} runs it.
 */
@Command(name = "rehearse", hidden = true)
final class RehearseCommand implements Callable<Integer> {

  private final CommandHost host;

  RehearseCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    run("--help");
    run("help", "list");
    run("lits");
    run("list");
    run("list", "--json");
    run("doctor");
    run("iommu", "ffff:ff:1f.7");
    run("bind", "ffff:ff:1f.7");
    run("reset", "ffff:ff:1f.7");
    run("vf", "ffff:ff:1f.7");
    run("exec", "--device", "ffff:ff:1f.7", "--", "true");
    run("vm", "--kernel", "/nowhere/kernel");
    run("nvme", "identify", "ffff:ff:1f.7");
    run("demo", "ffff:ff:1f.7");
    run("demo", "--nested", "ffff:ff:1f.7");
    for (HostDevice device : host.sysfs().devices().stream().limit(1).toList()) {
      run("show", "--no-open", device.name());
      run("show", "--no-open", "--json", device.name());
      run("doctor", device.name());
    }
    linkASystemCall();
    return ExitStatus.DONE;
  }

  private void run(String... arguments) {
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    CommandHost quiet =
        new CommandHost(
            host.sysfs(),
            host.ids(),
            host.opener(),
            host.surveyor(),
            host.resetter(),
            nowhere,
            nowhere);
    Vfio4j.commandLine(quiet, nowhere, arguments).execute(arguments);
  }

  private static void linkASystemCall() {
    try {
      VfioDevice.open(Path.of("/dev/vfio/devices/rehearsal")).close();
    } catch (VfioException e) {
      // there is none; the call that looked for it is linked by now
    }
  }
}
