package io.github.vfio4j.vmm.board;

/** What a guest asks of its machine by its board. Any processor's thread may call. */
public interface Orders {
  /** Ends the machine. */
  void powerOff();

  /** Begins anew. */
  void reset();
}
