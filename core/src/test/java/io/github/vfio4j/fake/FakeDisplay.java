package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_device_gfx_plane_info;
import io.github.vfio4j.bindings.vfio_h;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** The display of a device, which has none unless it is told what to show. */
public final class FakeDisplay {
  private int kind;
  private Consumer<MemorySegment> shown = reply -> {};

  /**
   * Shows a plane.
   *
   * @param planeKind {@code VFIO_GFX_PLANE_TYPE_}
   * @param plane fills the answer
   */
  public void show(int planeKind, Consumer<MemorySegment> plane) {
    kind = planeKind;
    shown = plane;
  }

  int query(MemorySegment request) {
    int flags = vfio_device_gfx_plane_info.flags(request);
    if (kind == 0) {
      return -Errno.ENOTTY.number();
    }
    if (flags == (kind | vfio_h.VFIO_GFX_PLANE_TYPE_PROBE)) {
      return 0;
    }
    if (flags != kind) {
      return -Errno.EINVAL.number();
    }
    shown.accept(request);
    return 0;
  }
}
