package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import java.util.List;

/** Knows which other devices the guest has. */
public interface Peers {
  /** Returns where the devices do their DMA that may want to reach this one: not where none is. */
  List<IoAddressSpace> of(VfioDevice device);
}
