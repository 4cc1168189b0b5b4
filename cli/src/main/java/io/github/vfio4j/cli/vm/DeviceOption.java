package io.github.vfio4j.cli.vm;

import io.github.vfio4j.Backend;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.vmm.DeviceSetup;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A device as it is given: of this host, or a descriptor.
 *
 * @param name the device's, or {@code fd=} and the descriptor
 * @param fd the descriptor of its node, if somebody else has opened that
 * @param backend which interface is asked for, if any is
 * @param slot that of the guest's bus, 0 for any
 * @param unmapped the BARs that the guest does not reach by itself
 * @param fixed the addresses of BARs that begin somewhere, by their numbers
 */
record DeviceOption(
    String name,
    OptionalInt fd,
    Optional<Backend> backend,
    int slot,
    Set<Integer> unmapped,
    Map<Integer, Long> fixed) {
  private static final String IOMMUFD = "iommufd";
  private static final String UNMAPPED = "unmapped";
  private static final String FD = "fd=";
  private static final String BAR = "bar";
  private static final int MOST_BARS = 6;
  private static final Pattern ADDRESS = Pattern.compile("0x\\p{XDigit}{1,15}");
  private static final List<String> SETTINGS =
      Stream.concat(
              Stream.of(IOMMUFD, Settings.SLOT, UNMAPPED),
              IntStream.range(0, MOST_BARS).mapToObj(number -> BAR + number))
          .toList();

  static DeviceOption parse(String text) {
    Settings settings = Settings.parse(text, SETTINGS);
    String name = settings.of();
    OptionalInt fd = OptionalInt.empty();
    if (name.startsWith(FD)) {
      int number = Settings.number(name.substring(FD.length()));
      if (number < 0) {
        throw new IllegalArgumentException("'" + name + "' is no open file: write fd=NUMBER");
      }
      fd = OptionalInt.of(number);
    }
    Optional<Backend> backend = settings.value(IOMMUFD).map(typed -> backend(name, typed));
    if (fd.isPresent() && backend.equals(Optional.of(Backend.CONTAINER))) {
      throw new IllegalArgumentException(
          name + " is a device's own node, which only an iommufd takes: leave iommufd=off out");
    }
    return new DeviceOption(
        name,
        fd,
        backend,
        settings.slot(),
        settings.value(UNMAPPED).map(DeviceOption::bars).orElse(Set.of()),
        fixed(settings));
  }

  private static Backend backend(String name, String typed) {
    return switch (typed) {
      case "on" -> Backend.IOMMUFD;
      case "off" -> Backend.CONTAINER;
      default ->
          throw new IllegalArgumentException(
              "iommufd=%s of %s is neither on nor off".formatted(typed, name));
    };
  }

  private static Set<Integer> bars(String typed) {
    Set<Integer> bars = new TreeSet<>();
    for (String each : typed.split("\\+", -1)) {
      int bar = Settings.number(each);
      if (bar < 0 || bar >= MOST_BARS) {
        throw new IllegalArgumentException(
            "BARs are 0 to 5, with + between them, and 'unmapped=%s' has '%s'"
                .formatted(typed, each));
      }
      bars.add(bar);
    }
    return bars;
  }

  private static Map<Integer, Long> fixed(Settings settings) {
    Map<Integer, Long> fixed = new TreeMap<>();
    for (int number = 0; number < MOST_BARS; number++) {
      Optional<String> typed = settings.value(BAR + number);
      if (typed.isPresent()) {
        long address = ADDRESS.matcher(typed.get()).matches() ? Long.decode(typed.get()) : 0;
        if (address == 0) {
          throw new IllegalArgumentException(
              "'bar%d=%s' of %s has no address for a BAR, such as 0xd0000000"
                  .formatted(number, typed.get(), settings.of()));
        }
        fixed.put(number, address);
      }
    }
    return fixed;
  }

  /** Returns the setup of the device, which is of this host. */
  DeviceSetup setup(HostDevice device) {
    return place(
        backend
            .map(asked -> DeviceSetup.of(device, asked))
            .orElseGet(() -> DeviceSetup.of(device)));
  }

  /** Returns the setup of the device that the descriptor is of. */
  DeviceSetup setup(int descriptor) {
    return place(DeviceSetup.passed(name, descriptor));
  }

  private DeviceSetup place(DeviceSetup setup) {
    DeviceSetup placed = slot == 0 ? setup : setup.slot(slot);
    placed = placed.unmapped(unmapped);
    for (Map.Entry<Integer, Long> each : fixed.entrySet()) {
      placed = placed.fixedBar(each.getKey(), each.getValue());
    }
    return placed;
  }
}
