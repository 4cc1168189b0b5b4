package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_group_status;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A group of the legacy interface, with one device. */
final class FakeGroup extends FakeFile {
  private final OpenFiles files;
  private final Supplier<FakeDevice> device;
  private @Nullable FakeContainer container;
  private boolean lost;

  FakeGroup(OpenFiles files, Supplier<FakeDevice> device) {
    super("VFIO_GROUP_");
    this.files = files;
    this.device = device;
  }

  /** Leaves its container, and is of no use any more, as when the last member is unbound. */
  void lose() {
    lost = true;
    closed();
  }

  @Override
  int ioctl(Ioctl operation, MemorySegment argument) {
    if (lost) {
      return refused(Errno.ENODEV);
    }
    return switch (operation) {
      case VFIO_GROUP_GET_STATUS -> {
        vfio_group_status.flags(argument, vfio_h.VFIO_GROUP_FLAGS_VIABLE);
        yield 0;
      }
      case VFIO_GROUP_SET_CONTAINER -> setContainer(files.get(argument.get(JAVA_INT, 0)));
      case VFIO_GROUP_GET_DEVICE_FD ->
          container == null ? refused(Errno.EINVAL) : open(container, argument.getString(0));
      default -> refused(Errno.ENOTTY);
    };
  }

  private int setContainer(FakeFile file) {
    if (!(file instanceof FakeContainer joined) || container != null) {
      return refused(Errno.EINVAL);
    }
    joined.join(this);
    container = joined;
    return 0;
  }

  private int open(FakeContainer joined, String name) {
    int answer = joined.attach();
    if (answer < 0) {
      return answer;
    }
    FakeDevice member = device.get();
    member.endWith(joined::detach);
    return files.open(member, name, null);
  }

  @Override
  void closed() {
    if (container != null) {
      container.leave(this);
      container = null;
    }
  }
}
