package io.github.vfio4j.handover;

import io.github.vfio4j.VfioException;

/** The other side has closed the connection, or is no more, and all it has sent was received. */
final class ConnectionEndedException extends VfioException {
  private static final long serialVersionUID = 1L;

  ConnectionEndedException(HandoverSocket socket) {
    super("recvmsg", socket.toString(), null, "the other side has closed the connection");
  }
}
