package io.github.vfio4j.kerneltests.selftests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.vfio4j.ConfigSpace;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.PciFunction;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * What {@code vfio_pci_device_test.c} and {@code vfio_pci_device_init_perf_test.c} try, with this
 * library.
 */
final class PciDeviceCases {
  private static final int BARS = 6;
  private static final int MOST_VECTORS = 16;

  private PciDeviceCases() {}

  private static int inSysfs(PciAddress device, String file) throws IOException {
    return Integer.decode(
        Files.readString(Path.of("/sys/bus/pci/devices/" + device).resolve(file)).strip());
  }

  static void configurationIsReadAndWritten(Variant variant) throws IOException {
    try (IommuMode.Space opened = variant.mode().space()) {
      ConfigSpace config = opened.open(variant.device()).pci().config();
      assertThat(config.vendorId()).isEqualTo(inSysfs(variant.device(), "vendor"));
      assertThat(config.deviceId()).isEqualTo(inSysfs(variant.device(), "device"));
      assertThat(config.isBusMaster()).isFalse();

      config.setBusMaster(true);
      assertThat(config.isBusMaster()).isTrue();
      config.setBusMaster(false);
      assertThat(config.isBusMaster()).isFalse();
    }
  }

  static void regionsAreMappedWhereTheyCanBe(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space()) {
      PciFunction function = opened.open(variant.device()).pci();
      for (int bar = 0; bar < BARS; bar++) {
        Region region = function.bar(bar);
        if (region.info().mappable()) {
          try (MappedRegion mapped = region.map()) {
            assertThat(mapped.size()).isEqualTo(region.size()).isPositive();
          }
        } else {
          assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(region::map);
        }
      }
      assertThat(function.config().region().info().mappable()).isFalse();
    }
  }

  static void interruptsFireEachOnItsOwn(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space()) {
      PciFunction function = opened.open(variant.device()).pci();
      IrqIndex kind =
          switch (variant.name()) {
            case "msi" -> function.msi();
            case "msix" -> function.msix();
            default -> throw new AssertionError("no such kind: " + variant);
          };
      int count = Math.min(kind.count(), MOST_VECTORS);
      assumeTrue(count > 0);

      List<Interrupt> vectors = kind.enable(IntStream.range(0, count).toArray());
      for (Interrupt vector : vectors) {
        assertThat(vector.await(Duration.ZERO)).isZero();
        vector.trigger();
        assertThat(vector.await(Duration.ZERO)).isEqualTo(1);
      }
      kind.disable();

      assertThat(vectors).allMatch(Interrupt::isClosed);
    }
  }

  static void deviceIsResetIfItCanBe(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space()) {
      VfioDevice device = opened.open(variant.device());
      assumeTrue(device.info().resettable());

      device.reset();
    }
  }

  static void devicesAreOpenedAtOnce(Variant variant) throws Exception {
    int count = variant.devices().size();
    var barrier = new CyclicBarrier(count);
    try (ExecutorService threads = Executors.newFixedThreadPool(count);
        IommuMode.Space opened = variant.mode().space()) {
      List<Future<VfioDevice>> devices =
          variant.devices().stream()
              .map(
                  device ->
                      threads.submit(
                          () -> {
                            barrier.await();
                            return opened.open(device);
                          }))
              .toList();
      for (Future<VfioDevice> device : devices) {
        assertThat(device.get().isClosed()).isFalse();
      }
    }
  }
}
