package io.github.vfio4j.migration;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_feature_mig_data_size;
import io.github.vfio4j.bindings.vfio_device_feature_mig_state;
import io.github.vfio4j.bindings.vfio_device_feature_migration;
import io.github.vfio4j.device.KernelFeature;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * What the kernel is asked of a device's migration; its replies are checked here.
 *
 * @param device the device
 */
record StateFeature(OpenDevice device) {
  private static final int NO_FILE = -1;

  Set<MigrationFlag> flags() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = KernelFeature.request(arena, vfio_device_feature_migration.SIZEOF);
      DeviceFeature.MIGRATION.kernel().get(device, request, "");
      long bits = vfio_device_feature_migration.flags(KernelFeature.payload(request));
      Set<MigrationFlag> flags = MigrationFlag.of(bits);
      if (!flags.contains(MigrationFlag.STOP_COPY)) {
        throw impossible("flags 0x%x, without STOP_COPY".formatted(bits));
      }
      return flags;
    }
  }

  DeviceState state() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = request(arena);
      DeviceFeature.MIG_DEVICE_STATE.kernel().get(device, request, "");
      int number = vfio_device_feature_mig_state.device_state(KernelFeature.payload(request));
      return DeviceState.of(number)
          .orElseThrow(() -> impossible("state " + Integer.toUnsignedString(number)));
    }
  }

  /**
   * Has the kernel walk to a state.
   *
   * @param file takes over a file of the device's data, whatever is thrown
   * @return whether the kernel gave one
   */
  boolean set(DeviceState to, IntConsumer file) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = request(arena);
      MemorySegment payload = KernelFeature.payload(request);
      vfio_device_feature_mig_state.device_state(payload, to.number());
      try {
        DeviceFeature.MIG_DEVICE_STATE.kernel().set(device, request, "it does not go to " + to);
      } finally {
        file.accept(vfio_device_feature_mig_state.data_fd(payload));
      }
      return vfio_device_feature_mig_state.data_fd(payload) >= 0;
    }
  }

  /** Has the kernel walk to a state that has no data. */
  void set(DeviceState to) throws VfioException {
    Fd stray = new Fd(device.kernel(), "the data of " + device.name());
    boolean given;
    try {
      given = set(to, stray::take);
    } finally {
      stray.close();
    }
    if (given) {
      throw impossible("a file of data in state " + to);
    }
  }

  private static MemorySegment request(Arena arena) {
    MemorySegment request = KernelFeature.request(arena, vfio_device_feature_mig_state.SIZEOF);
    vfio_device_feature_mig_state.data_fd(KernelFeature.payload(request), NO_FILE);
    return request;
  }

  long dataSize() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request =
          KernelFeature.request(arena, vfio_device_feature_mig_data_size.SIZEOF);
      DeviceFeature.MIG_DATA_SIZE.kernel().get(device, request, "");
      long size =
          vfio_device_feature_mig_data_size.stop_copy_length(KernelFeature.payload(request));
      if (size < 0) {
        throw impossible("a size of %s bytes".formatted(Long.toUnsignedString(size)));
      }
      return size;
    }
  }

  void usePrecopyInfoV2() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      DeviceFeature.MIG_PRECOPY_INFOv2.kernel().set(device, KernelFeature.request(arena, 0), "");
    }
  }

  VfioException impossible(String what) {
    return Answer.impossible(Ioctl.VFIO_DEVICE_FEATURE, device.name(), what);
  }
}
