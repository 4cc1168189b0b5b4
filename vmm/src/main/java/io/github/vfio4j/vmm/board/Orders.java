package io.github.vfio4j.vmm.board;

/** What a guest asks of its machine by its board. Any processor's thread may call. */
public interface Orders {
  /** Ends the machine. */
  void powerOff();

  /** Begins anew. */
  void reset();

  /** Takes the function out of a slot: the guest uses it no more. */
  void functionGone(int slot);

  /** Takes memory away: the guest uses it no more. */
  void memoryGone(Board.MemoryRange range);
}
