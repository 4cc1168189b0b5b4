package io.github.vfio4j.opening;

import java.util.Optional;

/**
 * Whether a device can raise no interrupts but its own. The kernel tells nobody before a device is
 * bound; what shows it are the names of interrupt controllers.
 */
public enum Isolation {
  /** They are remapped, or pass a service that knows the devices. */
  YES,
  /** They are not. */
  NO,
  /** Nothing shows it. */
  UNKNOWN;

  public static Isolation of(HostFiles files) {
    Optional<String> interrupts = files.text("proc/interrupts");
    if (interrupts.isEmpty()) {
      return UNKNOWN;
    }
    if (interrupts.get().contains("IR-") || interrupts.get().contains("ITS-")) {
      return YES;
    }
    String processor = files.text("proc/cpuinfo").orElse("");
    boolean x86 =
        processor.contains("GenuineIntel")
            || processor.contains("AuthenticAMD")
            || processor.contains("HygonGenuine")
            || interrupts.get().contains("IO-APIC");
    return x86 && !interrupts.get().isBlank() ? NO : UNKNOWN;
  }
}
