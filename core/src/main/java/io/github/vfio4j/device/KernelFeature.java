package io.github.vfio4j.device;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_feature;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The questions of {@code VFIO_DEVICE_FEATURE} for one feature.
 *
 * @param name the kernel's, for messages
 * @param number the kernel's
 * @param since the first kernel that has it
 */
public record KernelFeature(String name, int number, String since) {
  /** Returns room for a request with a structure of the feature's own after its head. */
  public static MemorySegment request(Arena arena, long size) {
    return arena.allocate(vfio_device_feature.SIZEOF + size, Long.BYTES);
  }

  /** Returns the structure of the feature's own. */
  public static MemorySegment payload(MemorySegment request) {
    return request.asSlice(vfio_device_feature.SIZEOF);
  }

  /**
   * Asks whether a device has the feature. Most that has not answers ENOTTY; what would move while
   * the device runs, of one that cannot, EINVAL.
   */
  public boolean isOf(OpenDevice device) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      int answer = ask(device, vfio_h.VFIO_DEVICE_FEATURE_PROBE, request(arena, 0));
      if (Answer.is(answer, Errno.ENOTTY) || Answer.is(answer, Errno.EINVAL)) {
        return false;
      }
      return require(device, answer, "") >= 0;
    }
  }

  /**
   * Has the payload of a request filled.
   *
   * @param meaning what an error means here, in words
   * @return the kernel's answer, 0 or more
   */
  public int get(OpenDevice device, MemorySegment request, String meaning) throws VfioException {
    return require(device, ask(device, vfio_h.VFIO_DEVICE_FEATURE_GET, request), meaning);
  }

  /**
   * Hands over the payload of a request.
   *
   * @param meaning what an error means here, in words
   * @return the kernel's answer, 0 or more
   */
  public int set(OpenDevice device, MemorySegment request, String meaning) throws VfioException {
    return require(device, ask(device, vfio_h.VFIO_DEVICE_FEATURE_SET, request), meaning);
  }

  private int ask(OpenDevice device, int direction, MemorySegment request) {
    vfio_device_feature.argsz(request, (int) request.byteSize());
    vfio_device_feature.flags(request, number | direction);
    return device.channel().ask(Ioctl.VFIO_DEVICE_FEATURE, request);
  }

  private int require(OpenDevice device, int answer, String meaning) throws VfioException {
    if (answer < 0) {
      throw Answer.failure(
          Ioctl.VFIO_DEVICE_FEATURE, since, name + " of " + device.name(), answer, meaning);
    }
    return answer;
  }
}
