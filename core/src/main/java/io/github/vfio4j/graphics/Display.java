package io.github.vfio4j.graphics;

import io.github.vfio4j.Errno;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_gfx_plane_info;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.dmabuf.DmaBuf;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The display of a device: what its user sees on a screen.
 *
 * <p>It is a view: it holds nothing, needs no closing, and may be used from any thread as the
 * device may; once that is closed, its methods throw {@link IllegalStateException}.
 */
public final class Display {
  private static final int NO_HOT_SPOT = -1;

  private final VfioDevice device;
  private final OpenDevice engine;
  private final Set<PlaneKind> kinds;

  private Display(VfioDevice device, OpenDevice engine, Set<PlaneKind> kinds) {
    this.device = device;
    this.engine = engine;
    this.kinds = kinds;
  }

  /**
   * Asks whether a device has a display; {@code VFIO_DEVICE_QUERY_GFX_PLANE} with {@code PROBE}.
   *
   * @param device the device, which this library has opened
   * @return the display, or empty where it has none
   * @throws IllegalArgumentException if the device was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if the kernel refuses to tell
   */
  public static Optional<Display> of(VfioDevice device) throws VfioException {
    OpenDevice engine = OpenDevice.of(device);
    Set<PlaneKind> kinds = EnumSet.noneOf(PlaneKind.class);
    for (PlaneKind kind : PlaneKind.values()) {
      if (has(engine, kind)) {
        kinds.add(kind);
      }
    }
    return kinds.isEmpty()
        ? Optional.empty()
        : Optional.of(new Display(device, engine, Collections.unmodifiableSet(kinds)));
  }

  private static boolean has(OpenDevice engine, PlaneKind kind) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = Request.of(arena, vfio_device_gfx_plane_info.LAYOUT);
      vfio_device_gfx_plane_info.flags(request, vfio_h.VFIO_GFX_PLANE_TYPE_PROBE | kind.flag());
      int answer = engine.channel().ask(Ioctl.VFIO_DEVICE_QUERY_GFX_PLANE, request);
      if (Answer.is(answer, Errno.EINVAL) || Answer.is(answer, Errno.ENOTTY)) {
        return false;
      }
      return Answer.require(Ioctl.VFIO_DEVICE_QUERY_GFX_PLANE, engine.name(), answer) >= 0;
    }
  }

  /**
   * Returns in which forms the device can have the memory of its planes.
   *
   * @return at least one
   */
  public Set<PlaneKind> kinds() {
    return kinds;
  }

  /**
   * Asks what a plane shows now; {@code VFIO_DEVICE_QUERY_GFX_PLANE}. Where the device knows both
   * forms, its memory is a dma-buf.
   *
   * @param type which layer
   * @return the plane, or empty where the guest shows none
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if the kernel refuses. Linux's sample {@code mbochs} answers ENOMEM the
   *     first time after its mode was changed, and tells the second time
   */
  public Optional<Plane> plane(PlaneType type) throws VfioException {
    PlaneKind kind = kinds.iterator().next();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply = Request.of(arena, vfio_device_gfx_plane_info.LAYOUT);
      vfio_device_gfx_plane_info.flags(reply, kind.flag());
      vfio_device_gfx_plane_info.drm_plane_type(reply, type.number());
      Answer.require(
          Ioctl.VFIO_DEVICE_QUERY_GFX_PLANE,
          engine.name(),
          engine.channel().ask(Ioctl.VFIO_DEVICE_QUERY_GFX_PLANE, reply));
      return shown(kind, type, reply);
    }
  }

  private Optional<Plane> shown(PlaneKind kind, PlaneType type, MemorySegment reply)
      throws VfioException {
    int width = vfio_device_gfx_plane_info.width(reply);
    int height = vfio_device_gfx_plane_info.height(reply);
    int stride = vfio_device_gfx_plane_info.stride(reply);
    long size = Integer.toUnsignedLong(vfio_device_gfx_plane_info.size(reply));
    if (width == 0 || height == 0 || size == 0) {
      return Optional.empty();
    }
    if (width < 0 || height < 0 || stride < 0 || (long) stride * height > size) {
      throw Answer.impossible(
          Ioctl.VFIO_DEVICE_QUERY_GFX_PLANE,
          engine.name(),
          "a plane of %d by %d, %d bytes from line to line, in %d bytes"
              .formatted(
                  Integer.toUnsignedLong(width),
                  Integer.toUnsignedLong(height),
                  Integer.toUnsignedLong(stride),
                  size));
    }
    int hotX = vfio_device_gfx_plane_info.x_hot(reply);
    int hotY = vfio_device_gfx_plane_info.y_hot(reply);
    return Optional.of(
        new Plane(
            kind,
            type,
            vfio_device_gfx_plane_info.drm_format(reply),
            vfio_device_gfx_plane_info.drm_format_mod(reply),
            width,
            height,
            stride,
            size,
            vfio_device_gfx_plane_info.x_pos(reply),
            vfio_device_gfx_plane_info.y_pos(reply),
            hotX == NO_HOT_SPOT || hotY == NO_HOT_SPOT
                ? Optional.empty()
                : Optional.of(new Plane.HotSpot(hotX, hotY)),
            vfio_device_gfx_plane_info.region_index(reply)));
  }

  /**
   * Opens the memory of a plane: maps its region, or asks for its dma-buf, {@code
   * VFIO_DEVICE_GET_GFX_DMABUF}.
   *
   * @param plane what {@link #plane} has told
   * @return the memory; the caller closes it, and the device does at the latest
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if the kernel refuses, as it does with ENOENT a dma-buf that is no more
   */
  public PlaneMemory open(Plane plane) throws VfioException {
    return switch (plane.kind()) {
      case DMA_BUF -> openFile(plane);
      case REGION -> openRegion(plane);
    };
  }

  private PlaneMemory openFile(Plane plane) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      String name = "dma-buf " + Integer.toUnsignedString(plane.number()) + " of " + engine.name();
      DmaBuf file =
          rollback.make(
              () -> DmaBuf.open(engine, name, plane.size(), () -> file(plane.number())),
              DmaBuf::close);
      return rollback.done(new PlaneMemory(plane, file));
    }
  }

  private int file(int id) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocateFrom(ValueLayout.JAVA_INT, id);
      int answer =
          Answer.require(
              Ioctl.VFIO_DEVICE_GET_GFX_DMABUF,
              engine.name(),
              engine.channel().ask(Ioctl.VFIO_DEVICE_GET_GFX_DMABUF, request));
      // the kernel has given one that programs inherit which this one starts
      int own = engine.kernel().duplicate(answer);
      engine.kernel().close(answer);
      return (int) Answer.require("fcntl", engine.name(), own, "");
    }
  }

  private PlaneMemory openRegion(Plane plane) throws VfioException {
    Region region = engine.namedRegion(plane.number(), Ioctl.VFIO_DEVICE_QUERY_GFX_PLANE);
    if (plane.size() > region.size()) {
      throw Answer.impossible(
          Ioctl.VFIO_DEVICE_QUERY_GFX_PLANE,
          engine.name(),
          "a plane of %d bytes in %s, which has %d".formatted(plane.size(), region, region.size()));
    }
    if (!region.info().mappable()) {
      return new PlaneMemory(plane, region, null);
    }
    try (Rollback rollback = new Rollback()) {
      MappedRegion mapped = rollback.make(region::map, MappedRegion::close);
      return rollback.done(new PlaneMemory(plane, region, mapped));
    }
  }

  /**
   * Looks for what tells the guest which monitor is plugged in.
   *
   * @return the region of the EDID, or empty where the device has none
   * @throws IllegalStateException if the device is closed
   * @throws VfioException as {@link VfioDevice#region}, or if what the region says is impossible
   */
  public Optional<Edid> edid() throws VfioException {
    Optional<Region> region =
        device.regionOfType(vfio_h.VFIO_REGION_TYPE_GFX, vfio_h.VFIO_REGION_SUBTYPE_GFX_EDID);
    return region.isEmpty() ? Optional.empty() : Optional.of(Edid.of(region.get()));
  }

  /** Returns whose display it is. */
  @Override
  public String toString() {
    return "display of " + engine.name();
  }
}
