package io.github.vfio4j.opening;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.PciDevice;
import java.util.Optional;

/**
 * Finds out why the kernel refuses to hand a device out. Its numbers stand for several causes each;
 * those that can be looked at are, and of the others all that fit are named.
 */
public final class Refused {
  private final Host host;
  private final HostDevice device;
  private final Ioctl operation;
  private final int answer;

  private Refused(Host host, HostDevice device, Ioctl operation, int answer) {
    this.host = host;
    this.device = device;
    this.operation = operation;
    this.answer = answer;
  }

  /** Explains the answer to an attempt to open a device. */
  public static VfioException of(Host host, HostDevice device, Ioctl operation, int answer)
      throws VfioException {
    return new Refused(host, device, operation, answer).explained();
  }

  private VfioException explained() throws VfioException {
    return switch (new Errno(-answer)) {
      case Errno e when e.equals(Errno.EBUSY) -> busy(host.sysfs().holder(device));
      case Errno e when e.equals(Errno.EINVAL) -> invalid();
      case Errno e when e.equals(Errno.EPERM) -> notPermitted();
      case Errno e when e.equals(Errno.EACCES) -> failure(token());
      case Errno e when e.equals(Errno.EIO) || e.equals(Errno.ETIMEDOUT) ->
          failure(
              "the device did not answer, as one does that cannot leave its sleep (D3cold); try"
                  + " `echo on` to its power/control, or remove it and scan its bus again");
      default -> failure("");
    };
  }

  private VfioException failure(String meaning) {
    return Answer.failure(operation, device.name(), answer, meaning);
  }

  private VfioException busy(Optional<String> holder) {
    return new DeviceBusyException(
        operation.name(),
        device.name(),
        new Errno(-answer),
        holder
            .map(who -> "it is open already: " + Holder.words(who))
            .orElse("it is open already, here or elsewhere"));
  }

  private VfioException invalid() throws VfioException {
    if (device.vfToken().isPresent()) {
      Optional<Obstacle> token = Token.inTheWay(new HostFiles(host.sysfs()), device);
      if (token.isPresent()) {
        return failure(token.get().sentence());
      }
    }
    Optional<String> holder = host.sysfs().holder(device);
    if (holder.isPresent() || !(device instanceof PciDevice)) {
      return busy(holder);
    }
    if (device.vfToken().isPresent() && operation == Ioctl.VFIO_DEVICE_BIND_IOMMUFD) {
      return new UnsupportedByKernelException(
          operation.name(), device.name(), new Errno(-answer), Token.onNode().sentence());
    }
    return failure(
        "nobody has it open; a BAR of it may have no address, its IOMMU may not keep caches"
            + " coherent, or its group may have left the container when its last member was unbound");
  }

  private VfioException notPermitted() throws VfioException {
    if (device.iommuGroup().isPresent()) {
      IommuGroup group = host.sysfs().group(device.iommuGroup().getAsInt());
      if (!group.blockers().isEmpty()) {
        return new DeviceNotBoundException(
            operation.name(),
            device.name(),
            new Errno(-answer),
            "its group is not viable" + Admission.blockers(host, group.number()));
      }
      Optional<String> neighbour = Use.ofNeighbour(host.sysfs(), device, group);
      if (neighbour.isPresent()) {
        return refusedFor(neighbour.get());
      }
    }
    String isolation =
        "interrupts are not isolated here: turn on interrupt remapping, or set"
            + " iommufd.allow_unsafe_interrupts=1";
    return refusedFor(
        Isolation.of(new HostFiles(host.sysfs())) == Isolation.NO
            ? isolation
            : isolation + "; or another device of its group is bound to another iommufd");
  }

  private VfioException refusedFor(String why) {
    return new NotPermittedException(operation.name(), device.name(), new Errno(-answer), why);
  }

  private String token() throws VfioException {
    if (device.vfToken().isPresent()) {
      return "the VF token is not the right one: that of who has its physical function, or with"
          + " which its virtual functions are open";
    }
    return Token.inTheWay(new HostFiles(host.sysfs()), device)
        .map(Obstacle::sentence)
        .orElse("it opens with a VF token only");
  }
}
