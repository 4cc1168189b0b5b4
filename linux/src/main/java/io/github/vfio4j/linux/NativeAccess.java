package io.github.vfio4j.linux;

import java.lang.foreign.MemorySegment;

/** Whether this virtual machine lets this module call the kernel. */
final class NativeAccess {
  private NativeAccess() {}

  /**
   * Refuses, each time, where it does not: else the first call would fail in the middle of loading
   * a class, and all later ones with an error that names no cause.
   */
  @SuppressWarnings("restricted") // the question itself; it reaches nothing
  static void require() {
    try {
      MemorySegment.NULL.reinterpret(0);
    } catch (IllegalCallerException denied) {
      Module module = NativeAccess.class.getModule();
      throw new IllegalCallerException(
          "vfio4j calls the kernel, which this Java virtual machine was told to deny: start it with"
              + " --enable-native-access="
              + (module.isNamed() ? module.getName() : "ALL-UNNAMED"),
          denied);
    }
  }
}
