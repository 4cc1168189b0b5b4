package io.github.vfio4j.cli.vm;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Gives a running machine an order. */
@Command(
    name = "tell",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Gives an order to a virtual machine that 'vfio4j vm --api' runs.",
    description = {
      "%nThe orders are:",
      "%n  devices                 what devices it has",
      "  plug DEVICE             plugs a device in, given as to 'vfio4j vm --device'",
      "  unplug NAME             has the guest let a device go, within 30 s",
      "  add-memory SIZE         gives the guest more memory, in multiples of 128M; says where",
      "  remove-memory ADDRESS   has the guest let it go, within 30 s",
      "  dirty on|off|read       has it noted which pages are written; says how many",
      "  stop                    pulls the plug of the machine"
    },
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
public final class TellCommand implements Callable<Integer> {
  private final CommandHost host;

  @Parameters(index = "0", paramLabel = "SOCKET", description = "What --api of the machine says.")
  private Path socket = Path.of("");

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "ORDER",
      description = "One of the above, word by word.")
  private List<String> order = List.of();

  /** Makes the command. */
  public TellCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    String answer = ask();
    if (!answer.startsWith(ControlSocket.OK)) {
      throw new VfioException(
          "tell",
          String.join(" ", order),
          null,
          answer.isEmpty() ? "the machine has ended" : answer.replaceFirst("^error ", ""));
    }
    String told = answer.substring(ControlSocket.OK.length()).strip();
    if (!told.isEmpty()) {
      host.out().println(told);
    }
    return ExitStatus.DONE;
  }

  private String ask() throws VfioException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        Writer out = Channels.newWriter(channel, UTF_8);
        BufferedReader in = new BufferedReader(Channels.newReader(channel, UTF_8))) {
      out.write(String.join(" ", order) + "\n");
      out.flush();
      String answer = in.readLine();
      return answer == null ? "" : answer;
    } catch (IOException e) {
      throw new VfioException(
          "connect", socket.toString(), null, "no machine takes orders there: " + e.getMessage());
    }
  }
}
