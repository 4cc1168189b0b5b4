package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;

/** A controller has refused a command, or failed to carry it out. */
public final class NvmeException extends VfioException {
  private static final long serialVersionUID = 1L;

  /** Status type and code. */
  private final int status;

  NvmeException(String command, String object, int status) {
    super(command, object, null, new NvmeStatus(status).toString());
    this.status = status;
  }

  /**
   * Returns what the controller said.
   *
   * @return the status of the completion
   */
  public NvmeStatus status() {
    return new NvmeStatus(status);
  }
}
