package io.github.vfio4j.cli.vm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A person at a terminal has all keys but one, and the terminal back at the end. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class TerminalTest {
  private final FakeMachine machine = new FakeMachine();

  private String type(boolean terminal, String keys) throws IOException, InterruptedException {
    FileOutputStream nowhere = new FileOutputStream("/dev/null");
    GuestConsole console = new GuestConsole(nowhere.getChannel(), Thread.currentThread());
    ByteArrayInputStream in = new ByteArrayInputStream(keys.replace('^', '\u0001').getBytes(UTF_8));
    new Keyboard(in, terminal, machine, console, new PrintWriter(System.err, false, UTF_8)).run();
    nowhere.close();
    return machine.hear(0).replace('\u0001', '^');
  }

  @ParameterizedTest
  @CsvSource({"a^^x, a^x", "^yx, ^yx", "^^^^x, ^^x", "x, x"})
  void keysGoToTheGuest(String keys, String heard) throws Exception {
    assertThat(type(true, keys)).isEqualTo(heard);
    assertThat(machine.ending).isNotDone();
  }

  @ParameterizedTest
  @CsvSource({"^x", "^^^xa"})
  void oneEndsTheMachine(String keys) throws Exception {
    type(true, keys);
    assertThat(machine.ending).isCompletedWithValue(Ending.STOPPED);
  }

  @Test
  void whatIsNoTerminalHasNoSuchKey() throws Exception {
    assertThat(type(false, "^x^^")).isEqualTo("^x^^");
    assertThat(machine.ending).isNotDone();
  }

  @Test
  void whatIsTypedToAMachineThatHasEndedIsLost() throws Exception {
    machine.close();
    assertThat(type(true, "a")).isEmpty();
  }

  /** A machine at a terminal, which says what it has heard. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
      FakeMachine machine = new FakeMachine();
      MachineHost host =
          new MachineHost(
              Path.of("/dev/null"),
              System.in,
              true,
              new FileOutputStream(FileDescriptor.out),
              (setup, console) -> {
                System.err.println("ready");
                return machine.boot(setup, console);
              });
      PrintWriter err = new PrintWriter(System.err, false, UTF_8);
      int status = MachineRun.of(host, MachineSetup.of(Path.of("kernel")), null, err);
      System.err.println("heard " + machine.hear(0).replace('\u0003', 'C'));
      System.exit(status);
    }
  }

  @Test
  void terminalIsAsItWasBefore() throws Exception {
    String java =
        "'%s/bin/java' -XX:TieredStopAtLevel=1 -cp '%s' '%s'"
            .formatted(
                System.getProperty("java.home"),
                System.getProperty("java.class.path"),
                Program.class.getName());
    String session = "stty -g; %s; echo status $?; stty -g".formatted(java);
    Process script =
        new ProcessBuilder("script", "-q", "-e", "-c", session, "/dev/null")
            .redirectErrorStream(true)
            .start();
    try (BufferedReader output = script.inputReader();
        OutputStream keys = script.getOutputStream()) {
      String before = output.readLine();
      assertThat(output.readLine()).isEqualTo("vfio4j: " + Keyboard.HINT);
      assertThat(output.readLine()).isEqualTo("ready");

      keys.write("a\u0003b".getBytes(UTF_8)); // Ctrl-C, which would end what is not raw
      keys.flush();
      keys.write("\u0001x".getBytes(UTF_8));
      keys.flush();

      List<String> rest = output.lines().toList();
      assertThat(rest).containsExactly("heard aCb", "status 0", before);
      assertThat(script.waitFor()).isZero();
    } finally {
      script.destroyForcibly();
    }
  }
}
