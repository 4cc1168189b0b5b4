package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;

/**
 * A controller says that it cannot go on (Controller Fatal Status): nothing that is under way ends
 * before it is {@linkplain NvmeController#reset reset}.
 */
public final class ControllerFatalException extends VfioException {
  private static final long serialVersionUID = 1L;

  ControllerFatalException(String operation, String object) {
    super(operation, object, null, "the controller has failed (Controller Fatal Status); reset it");
  }
}
