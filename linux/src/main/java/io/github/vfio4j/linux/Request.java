package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;

/** The structures that ioctls of VFIO and iommufd take: each begins with its own size. */
public final class Request {
  private Request() {}

  /** Allocates a structure of zeros that begins with its size. */
  public static MemorySegment of(Arena arena, MemoryLayout layout) {
    return of(arena, layout, layout.byteSize());
  }

  /**
   * Allocates a structure that claims to end early, as older kernels know it.
   *
   * @param size bytes that the kernel is told of
   */
  public static MemorySegment of(Arena arena, MemoryLayout layout, long size) {
    MemorySegment request = arena.allocate(layout);
    request.set(JAVA_INT, 0, (int) size);
    return request;
  }
}
