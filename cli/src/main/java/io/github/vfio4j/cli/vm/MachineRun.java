package io.github.vfio4j.cli.vm;

import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Interruption;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The time from turning a machine on to its end, in which it has the standard streams. */
final class MachineRun {
  private final MachineHost host;
  private final @Nullable Api api;
  private final PrintWriter err;
  private final GuestConsole console;

  /**
   * How others give the machine orders.
   *
   * @param path where the socket is to be
   * @param orders which ones
   */
  record Api(Path path, Orders orders) {}

  private MachineRun(MachineHost host, @Nullable Api api, PrintWriter err) {
    this.host = host;
    this.api = api;
    this.err = err;
    this.console = new GuestConsole(host.out().getChannel(), Thread.currentThread());
  }

  /** Turns a machine on, and returns the exit status that tells how it has ended. */
  static int of(MachineHost host, MachineSetup setup, @Nullable Api api, PrintWriter err)
      throws IOException {
    Interruption.check("boot", setup.toString());
    MachineRun run = new MachineRun(host, api, err);
    if (!host.terminal()) {
      return run.boot(setup);
    }
    run.say(Keyboard.HINT);
    try (RawTerminal _ = RawTerminal.enter()) {
      return run.boot(setup);
    }
  }

  private void say(String what) {
    err.println("vfio4j: " + what);
    err.flush();
  }

  private int boot(MachineSetup setup) throws IOException {
    try (ControlSocket socket = api == null ? null : ControlSocket.bind(api.path());
        Machine machine = host.booting().boot(setup, console)) {
      if (api != null && socket != null) {
        socket.serve(api.orders(), machine);
      }
      new Keyboard(host.in(), host.terminal(), machine, console, err).start();
      return await(machine);
    }
  }

  private int await(Machine machine) throws IOException {
    try {
      if (machine.await() != Ending.RESET) {
        return ExitStatus.DONE;
      }
      say("the guest has asked for a reset, or has failed: its machine ends here");
      return ExitStatus.RESET;
    } catch (InterruptedException e) {
      // by a signal, which gives the exit status, or since the console cannot be written
      console.end();
      machine.stop();
      console.rethrow();
    }
    return ExitStatus.FAILED;
  }
}
