package io.github.vfio4j.cli.vm;

import io.github.vfio4j.VfioException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;

/** Types to a guest what a stream has, until that ends. At a terminal Ctrl-A is for this side. */
final class Keyboard {
  /** What a person is told. */
  static final String HINT = "Ctrl-A x ends the machine, Ctrl-A Ctrl-A types a Ctrl-A";

  private static final int CTRL_A = 1;
  private static final int AT_ONCE = 4096;

  private final InputStream in;
  private final boolean terminal;
  private final Machine machine;
  private final GuestConsole console;
  private final PrintWriter err;
  private boolean escaped;

  Keyboard(
      InputStream in, boolean terminal, Machine machine, GuestConsole console, PrintWriter err) {
    this.in = in;
    this.terminal = terminal;
    this.machine = machine;
    this.console = console;
    this.err = err;
  }

  /** Starts a thread for it, which nobody waits for: reading cannot be ended. */
  void start() {
    Thread.ofPlatform().daemon().name("keyboard").start(this::run);
  }

  /** Types until the end. */
  void run() {
    byte[] typed = new byte[AT_ONCE];
    try {
      int count = in.read(typed);
      while (count >= 0 && !type(typed, count)) {
        count = in.read(typed);
      }
    } catch (VfioException e) {
      err.println("vfio4j: nothing more is typed to the guest: " + e.getMessage());
      err.flush();
    } catch (IOException | IllegalStateException e) {
      // the terminal has gone, or the machine has ended
    }
  }

  /** Types some bytes; returns whether they have ended the machine. */
  private boolean type(byte[] typed, int count) throws IOException {
    ByteArrayOutputStream meant = new ByteArrayOutputStream();
    for (int i = 0; i < count; i++) {
      if (escaped && typed[i] == 'x') {
        machine.type(meant.toByteArray());
        console.end();
        machine.stop();
        return true;
      }
      if (terminal && !escaped && typed[i] == CTRL_A) {
        escaped = true;
      } else {
        if (escaped && typed[i] != CTRL_A) {
          meant.write(CTRL_A);
        }
        meant.write(typed[i]);
        escaped = false;
      }
    }
    machine.type(meant.toByteArray());
    return false;
  }
}
