package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_device_ioeventfd;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;

/** What a device's eventfds write, of which nothing reaches a register. */
public final class FakeIoEvents {
  private static final int NO_EVENT = -1;

  private record Write(long offset, int width, long data) {}

  private final Set<Write> writes = new HashSet<>();

  /** Returns how many there are. */
  public synchronized int count() {
    return writes.size();
  }

  synchronized int set(MemorySegment request, OpenFiles files) {
    Write write =
        new Write(
            vfio_device_ioeventfd.offset(request),
            vfio_device_ioeventfd.flags(request),
            vfio_device_ioeventfd.data(request));
    int fd = vfio_device_ioeventfd.fd(request);
    if (fd == NO_EVENT) {
      return writes.remove(write) ? 0 : -Errno.ENODEV.number();
    }
    if (!files.has(fd)) {
      return -Errno.EBADF.number();
    }
    return writes.add(write) ? 0 : -Errno.EEXIST.number();
  }

  /** Ends all, as the kernel does when the device is closed. */
  synchronized void closed() {
    writes.clear();
  }
}
