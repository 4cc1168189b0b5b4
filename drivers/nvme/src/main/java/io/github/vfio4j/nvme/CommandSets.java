package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.AdminQueue.Command;

/** Which sets of I/O commands a controller has, besides that of blocks. */
final class CommandSets {
  private static final int COMBINATIONS = 0x1c;
  private static final int MOST_COMBINATIONS = 512;
  private static final int PROFILE = 0x19;
  private static final int ANY_CONTROLLER = 0xffff << 16;
  private static final long BLOCKS = 1;
  private static final long ZONES = 1 << 2;

  private final AdminQueue admin;
  private final Capabilities capabilities;
  private volatile boolean zones;

  CommandSets(AdminQueue admin, Capabilities capabilities) {
    this.admin = admin;
    this.capabilities = capabilities;
  }

  /**
   * Chooses a combination of sets with zones in it, where there is one; a controller that was reset
   * has to be told again.
   */
  void choose() throws VfioException {
    if (!capabilities.hasOtherCommands()) {
      return;
    }
    int index = withZones();
    zones = index >= 0;
    if (zones && current() != index) {
      int _ =
          admin.tell(
              new Command(
                  "Set Features: I/O Command Set Profile", Opcode.SET_FEATURES, 0, PROFILE, index));
    }
  }

  private int withZones() throws VfioException {
    Fields combinations =
        new Fields(
            admin.ask(
                new Command(
                    "Identify I/O Command Sets",
                    Opcode.IDENTIFY,
                    0,
                    ANY_CONTROLLER | COMBINATIONS,
                    0)));
    for (int i = 0; i < MOST_COMBINATIONS; i++) {
      if ((combinations.longAt(i * Long.BYTES) & (BLOCKS | ZONES)) == (BLOCKS | ZONES)) {
        return i;
      }
    }
    return -1;
  }

  private int current() throws VfioException {
    return admin.tell(
            new Command(
                "Get Features: I/O Command Set Profile", Opcode.GET_FEATURES, 0, PROFILE, 0))
        & MOST_COMBINATIONS - 1;
  }

  boolean hasZones() {
    return zones;
  }
}
