package io.github.vfio4j.cli.vm;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.vfio4j.VfioException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A UNIX socket by which others give orders to a running machine: a line each, answered by a line
 * that begins with {@code ok} or {@code error}. Only its owner may. Thread-safe.
 */
final class ControlSocket implements AutoCloseable {
  static final String OK = "ok";
  static final String ERROR = "error";

  private final Path path;
  private final ServerSocketChannel server;

  private ControlSocket(Path path, ServerSocketChannel server) {
    this.path = path;
    this.server = server;
  }

  /**
   * Makes the socket, on which nobody listens yet.
   *
   * @throws VfioException if it cannot be made, as where there is a file of this name
   */
  static ControlSocket bind(Path path) throws VfioException {
    if (Files.exists(path)) {
      throw new VfioException(
          "bind", path.toString(), null, "there is such a file: remove it, or take another name");
    }
    try {
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      ControlSocket socket = new ControlSocket(path, server);
      try {
        server.bind(UnixDomainSocketAddress.of(path));
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        return socket;
      } catch (Throwable e) {
        try (socket) {
          throw e;
        }
      }
    } catch (IOException e) {
      throw e instanceof VfioException failure
          ? failure
          : new VfioException("bind", path.toString(), null, String.valueOf(e.getMessage()));
    }
  }

  /** Has threads take orders for a machine from now on, one for each who connects. */
  void serve(Orders orders, Machine machine) {
    Thread.ofPlatform()
        .daemon()
        .name("orders")
        .start(
            () -> {
              try {
                while (true) {
                  SocketChannel connection = server.accept();
                  Thread.ofPlatform().daemon().start(() -> answer(connection, orders, machine));
                }
              } catch (ClosedChannelException e) {
                // the machine has ended
              } catch (IOException e) {
                System.getLogger(ControlSocket.class.getName())
                    .log(System.Logger.Level.WARNING, path + " takes no more orders", e);
              }
            });
  }

  private static void answer(SocketChannel connection, Orders orders, Machine machine) {
    try (connection;
        BufferedReader in = new BufferedReader(Channels.newReader(connection, UTF_8));
        Writer out = Channels.newWriter(connection, UTF_8)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        out.write(answer(line, orders, machine).replace('\n', ' ') + "\n");
        out.flush();
      }
    } catch (IOException e) {
      // whoever has given the order does not want the answer
    }
  }

  private static String answer(String line, Orders orders, Machine machine) {
    try {
      return (OK + " " + orders.obey(line, machine)).strip();
    } catch (VfioException | IllegalArgumentException | IllegalStateException e) {
      return ERROR + " " + e.getMessage();
    } catch (InterruptedException e) {
      return ERROR + " interrupted";
    }
  }

  @Override
  public void close() throws VfioException {
    try {
      server.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new VfioException("close", path.toString(), null, String.valueOf(e.getMessage()));
    }
  }
}
