package io.github.vfio4j.vmm.board;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.bus.AddressMap;
import io.github.vfio4j.vmm.kvm.Vcpu;
import io.github.vfio4j.vmm.pci.PciHost;
import java.util.List;

/**
 * What depends on the kind of processor: where memory lies, what else is on the board, how Linux is
 * entered, and why processors of this kind stop. {@link io.github.vfio4j.vmm.x86} has the one of a
 * PC.
 */
public interface Board {
  /** A range of the guest's physical addresses that is memory. */
  record MemoryRange(long address, long size) {}

  /** Returns where the guest's memory lies. */
  List<MemoryRange> memory();

  /** Makes what the kernel keeps of the board, before there are processors. */
  void prepare() throws VfioException;

  /** Makes a processor what it is after power-on, and the first one ready to enter the kernel. */
  void prepare(Vcpu vcpu) throws VfioException;

  /** Tells of a function with memory of its own that it has a node more for it, before loading. */
  void addMemoryNode(int slot);

  /** Loads the kernel and all that it wants to find into the guest's memory. */
  void load() throws VfioException;

  /**
   * Makes all what it was at power-on, and loads the kernel again, while no processor runs. What is
   * in memory beside that stays, as on a real board.
   */
  void reset() throws VfioException;

  /** Returns what answers at addresses that are not memory. */
  AddressMap addresses();

  /** Returns its PCI bus. */
  PciHost pci();

  /** Tells the guest that there is a function in a slot now. */
  void functionCame(int slot) throws VfioException;

  /** Asks the guest to let a function go; {@link Orders#functionGone} is told when it has. */
  void wantFunctionBack(int slot) throws VfioException;

  /** Takes addresses for memory that comes while the guest runs. */
  MemoryRange takePlace(long size) throws VfioException;

  /** Gives the addresses back, where no memory is any more. */
  void freePlace(MemoryRange range);

  /** Tells the guest that there is memory at addresses that were taken for it. */
  void memoryCame(MemoryRange range) throws VfioException;

  /** Asks the guest to let memory go; {@link Orders#memoryGone} is told when it has. */
  void wantMemoryBack(MemoryRange range) throws VfioException;

  /**
   * Deals with a processor's stop for a reason that only processors of this kind have.
   *
   * @param reason the kernel's number
   * @return whether there is such a reason
   */
  boolean stopped(Vcpu vcpu, int reason);

  /** Gives the guest what somebody has typed on its console. */
  void type(byte typed) throws VfioException;
}
