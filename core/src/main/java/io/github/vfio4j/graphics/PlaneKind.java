package io.github.vfio4j.graphics;

import io.github.vfio4j.bindings.vfio_h;

/** In what form a device has the memory of its planes; {@code VFIO_GFX_PLANE_TYPE_}. */
public enum PlaneKind {
  /** Each plane is a file of its own. */
  DMA_BUF(vfio_h.VFIO_GFX_PLANE_TYPE_DMABUF),

  /** A region of the device holds the plane. */
  REGION(vfio_h.VFIO_GFX_PLANE_TYPE_REGION);

  private final int flag;

  PlaneKind(int flag) {
    this.flag = flag;
  }

  int flag() {
    return flag;
  }
}
