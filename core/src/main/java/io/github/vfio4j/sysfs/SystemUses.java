package io.github.vfio4j.sysfs;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the running system would lose with a device, in words. */
final class SystemUses {

  private SystemUses() {}

  static List<String> of(Sysfs sysfs, Path device) throws VfioException {
    List<Mount> mounts = Mount.all(sysfs);
    List<String> uses = new ArrayList<>();
    uses.addAll(BlockDevices.below(sysfs, device).uses(mounts));
    uses.addAll(SharedFolders.below(sysfs, device, mounts));
    uses.addAll(NetworkInterfaces.below(sysfs, device));
    return uses;
  }

  /** Returns whether what a link of a class or bus points to belongs to a device. */
  static boolean isBelow(Path device, Path link) {
    try {
      return link.toRealPath().startsWith(device);
    } catch (IOException e) {
      return false; // it has gone
    }
  }
}
