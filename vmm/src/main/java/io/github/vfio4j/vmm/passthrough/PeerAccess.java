package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.dmabuf.PeerMapping;
import io.github.vfio4j.dmabuf.PeerMemory;
import io.github.vfio4j.outcome.Closing;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Lets the other devices reach parts of a BAR at the addresses where the guest sees them. A guest
 * does without where the kernel cannot, as real boards are some of which do not hand such accesses
 * on.
 */
final class PeerAccess {
  private static final Logger LOGGER = System.getLogger(PeerAccess.class.getName());

  private final VfioDevice device;
  private final int bar;
  private final List<MappableParts.Part> parts;
  private final Peers peers;
  private final Map<IoAddressSpace, List<PeerMapping>> mappings = new LinkedHashMap<>();
  private boolean told;

  PeerAccess(VfioDevice device, int bar, List<MappableParts.Part> parts, Peers peers) {
    this.device = device;
    this.bar = bar;
    this.parts = parts;
    this.peers = peers;
  }

  /** Gives access to those who have none yet, to the BAR at an address. */
  void give(long address) {
    for (IoAddressSpace space : peers.of(device)) {
      if (!mappings.containsKey(space)) {
        List<PeerMapping> made = new ArrayList<>();
        mappings.put(space, made);
        for (MappableParts.Part part : parts) {
          try {
            made.add(
                PeerMemory.of(device, bar)
                    .slice(part.offset(), part.size())
                    .map(space, address + part.offset(), DmaAccess.READ_WRITE));
          } catch (VfioException | IllegalStateException e) { // or one of them is closed meanwhile
            tell(e);
          }
        }
      }
    }
  }

  /** Tells once: the guest may move a BAR as often as it likes. */
  private void tell(Exception why) {
    if (!told) {
      told = true;
      LOGGER.log(
          Level.INFO, "other devices of the guest do not reach BAR " + bar + " of " + device, why);
    }
  }

  /** Gives again what the kernel has taken when the device was reset. */
  void restore() {
    for (List<PeerMapping> each : mappings.values()) {
      for (PeerMapping mapping : each) {
        try {
          mapping.restore();
        } catch (VfioException | IllegalStateException e) {
          tell(e);
        }
      }
    }
  }

  void take(Closing closing) {
    for (List<PeerMapping> each : mappings.values()) {
      for (PeerMapping mapping : each) {
        closing.attempt(mapping::close);
      }
    }
    mappings.clear();
  }
}
