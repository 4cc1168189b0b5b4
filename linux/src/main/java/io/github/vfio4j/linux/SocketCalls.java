package io.github.vfio4j.linux;

import java.lang.foreign.MemorySegment;

/** The system calls on UNIX sockets; they answer as those of {@link Kernel} do. */
public interface SocketCalls {
  /** Makes an unconnected socket of the UNIX family. */
  int socket(int type);

  /** Makes two that are connected, and writes their numbers. */
  int socketPair(int type, MemorySegment pair);

  /** Gives a socket the address that is the whole of a segment. */
  int bind(int fd, MemorySegment address);

  int connect(int fd, MemorySegment address);

  int listen(int fd, int backlog);

  int accept(int fd, int flags);

  /** Ends both directions, and so wakes whoever waits for either. */
  int shutdown(int fd);

  /** Sends what a {@code struct msghdr} describes. */
  long sendMessage(int fd, MemorySegment header, int flags);

  long receiveMessage(int fd, MemorySegment header, int flags);

  /** Reads an option of the socket level into the whole of a segment. */
  int option(int fd, int option, MemorySegment value);
}
