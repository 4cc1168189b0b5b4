package io.github.vfio4j.sysfs;

import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A type of mediated device that a parent offers.
 *
 * @param parent the name of the parent device
 * @param id the type's name, such as {@code mtty-2}
 * @param path its directory in sysfs
 * @param name what the driver calls it for people, if anything
 * @param deviceApi what the device looks like to its user, such as {@code vfio-pci}
 * @param availableInstances how many more can be created now
 */
public record MediatedType(
    String parent,
    String id,
    Path path,
    Optional<String> name,
    String deviceApi,
    int availableInstances) {

  static MediatedType read(String parent, String id, Path path) throws VfioException {
    Directory type = new Directory(path, id);
    return new MediatedType(
        parent,
        id,
        path,
        type.find("name"),
        type.text("device_api"),
        type.number("available_instances").orElse(0));
  }
}
