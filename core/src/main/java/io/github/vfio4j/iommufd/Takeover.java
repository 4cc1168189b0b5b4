package io.github.vfio4j.iommufd;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.takeover.PassedEventFd;
import io.github.vfio4j.takeover.RunningIommufd;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;

/** Makes objects of what another process has described. */
final class Takeover {
  private final Iommufd iommufd;
  private final Host host;
  private final Iterator<Fd> files;
  private final Map<Integer, PageTable> tables = new HashMap<>();
  private final Set<Integer> numbers = new HashSet<>();

  Takeover(Iommufd iommufd, Host host, Iterator<Fd> files) {
    this.iommufd = iommufd;
    this.host = host;
    this.files = files;
  }

  void run(RunningIommufd running) throws VfioException {
    synchronized (iommufd) {
      for (RunningIommufd.AddressSpace space : running.addressSpaces()) {
        addressSpace(space);
      }
      for (RunningIommufd.Device device : running.devices()) {
        device(device);
      }
    }
  }

  private static VfioException senseless(String what) {
    return new VfioException("take over", "/dev/iommu", null, "the description has " + what);
  }

  /** Takes note of a number that one object has. */
  private void enter(int id) throws VfioException {
    if (id == 0 || !numbers.add(id)) {
      throw senseless("two objects of the number " + Integer.toUnsignedString(id));
    }
  }

  private void addressSpace(RunningIommufd.AddressSpace space) throws VfioException {
    enter(space.id());
    Ioas ioas = iommufd.known(space.id());
    tables.put(space.id(), ioas);
    for (RunningIommufd.Mapping mapping : space.mappings()) {
      try {
        ioas.takeOver(mapping.iova(), mapping.size(), mapping.access());
      } catch (IllegalArgumentException e) {
        throw senseless("a mapping that is none: " + e.getMessage());
      }
    }
    for (RunningIommufd.PageTable table : space.pageTables()) {
      Set<HwptFlag> flags = EnumSet.allOf(HwptFlag.class);
      flags.removeIf(flag -> (table.flags() & flag.bit()) == 0);
      if (flags.stream().mapToInt(HwptFlag::bit).sum() != table.flags()) {
        throw senseless("a page table of an unknown kind");
      }
      enter(table.id());
      tables.put(table.id(), HwptPaging.takeOver(ioas, table.id(), flags));
    }
  }

  private void device(RunningIommufd.Device running) throws VfioException {
    PageTable table = tables.get(running.table());
    if (running.table() != 0 && table == null) {
      throw senseless("a device attached to nothing that is in it");
    }
    enter(running.id());
    CdevDevice device;
    try (Rollback rollback = new Rollback()) {
      Fd file = rollback.make(() -> Iommufd.duplicate(host, files), Fd::close);
      device = rollback.done(new Binding(iommufd).takenOver(file, running.id()));
    }
    if (table != null) {
      device.attachments().takeOver(table, running.hwpt());
    }
    for (RunningIommufd.Vector vector : running.vectors()) {
      Fd event = files.next();
      PassedEventFd.require(event);
      try {
        device.engine().takeOver(vector.index(), vector.vector(), event);
      } catch (IndexOutOfBoundsException e) {
        throw senseless("a vector that the device has not: " + e.getMessage());
      }
    }
  }
}
