package io.github.vfio4j.sysfs;

import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Folders that the host of this virtual machine shares by a device of virtio. */
final class SharedFolders {

  private SharedFolders() {}

  /** Returns those that are mounted. */
  static List<String> below(Sysfs sysfs, Path device, List<Mount> mounts) throws VfioException {
    List<String> uses = new ArrayList<>();
    Directory functions = new Directory(sysfs.bus("virtio").resolve("devices"), "virtio");
    for (String name : functions.names()) {
      Path function = functions.path().resolve(name);
      if (SystemUses.isBelow(device, function)) {
        uses.addAll(mounted(new Directory(function, name).tryFind("mount_tag").orElse(""), mounts));
      }
    }
    Directory folders = new Directory(sysfs.sys().resolve("fs/virtiofs"), "the shared folders");
    for (String name : folders.names()) {
      Path folder = folders.path().resolve(name);
      if (SystemUses.isBelow(device, folder.resolve("device"))) {
        uses.addAll(mounted(new Directory(folder, name).tryFind("tag").orElse(""), mounts));
      }
    }
    return uses;
  }

  private static List<String> mounted(String tag, List<Mount> mounts) {
    String name = tag.replace("\0", "");
    return mounts.stream()
        .filter(mount -> mount.isShared(name))
        .map(mount -> mount.point() + " (" + mount.type() + " of the host)")
        .distinct()
        .toList();
  }
}
