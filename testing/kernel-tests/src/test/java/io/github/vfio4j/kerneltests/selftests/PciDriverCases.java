package io.github.vfio4j.kerneltests.selftests;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.time.Duration;

/** What {@code vfio_pci_driver_test.c} tries, with this library and a network card. */
final class PciDriverCases {
  private static final int SIZE = 4 * Igb.CHUNK;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Where nothing is mapped. */
  private static final long NOWHERE = 1L << 40;

  private PciDriverCases() {}

  /** What a case does with a running card and two buffers. */
  @FunctionalInterface
  private interface Body {
    void run(VfioDevice device, Igb igb, DmaBuffer from, DmaBuffer to) throws VfioException;
  }

  private static void with(Variant variant, Body body) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space()) {
      VfioDevice device = opened.open(variant.device());
      try (Igb igb = new Igb(device);
          DmaBuffer from = opened.space().allocate(SIZE);
          DmaBuffer to = opened.space().allocate(SIZE)) {
        body.run(device, igb, from, to);
      }
    }
  }

  private static void copies(Igb igb, DmaBuffer from, DmaBuffer to) throws VfioException {
    from.segment().fill("x".getBytes(US_ASCII)[0]);
    to.segment().fill("y".getBytes(US_ASCII)[0]);
    assertThat(igb.copy(from.iova(), to.iova(), SIZE)).isTrue();
    assertThat(to.segment().mismatch(from.segment())).isEqualTo(-1);
  }

  private static void isSilent(Igb igb) throws VfioException {
    assertThat(igb.interrupt().await(Duration.ZERO)).isZero();
  }

  private static void raises(Igb igb) throws VfioException {
    igb.raise();
    assertThat(igb.interrupt().await(PATIENCE)).isEqualTo(1);
  }

  static void driverComesAndGoes(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space()) {
      VfioDevice device = opened.open(variant.device());
      for (int i = 0; i < 3; i++) { // the kernel's does 10, and each takes half a second
        new Igb(device).close();
      }
    }
  }

  static void memoryIsCopied(Variant variant) throws VfioException {
    with(
        variant,
        (device, igb, from, to) -> {
          copies(igb, from, to);
          isSilent(igb);
        });
  }

  static void copyFromNowhereRaisesNothing(Variant variant) throws VfioException {
    with(
        variant,
        (device, igb, from, to) -> {
          igb.copy(NOWHERE, to.iova(), SIZE);
          isSilent(igb);
        });
  }

  static void copyToNowhereRaisesNothing(Variant variant) throws VfioException {
    with(
        variant,
        (device, igb, from, to) -> {
          igb.copy(from.iova(), NOWHERE, SIZE);
          isSilent(igb);
        });
  }

  static void interruptArrivesOnce(Variant variant) throws VfioException {
    with(variant, (device, igb, from, to) -> raises(igb));
  }

  static void copiesGoOnAfterBadOnes(Variant variant) throws VfioException {
    with(
        variant,
        (device, igb, from, to) -> {
          for (int i = 0; i < 3; i++) {
            copies(igb, from, to);
            igb.copy(NOWHERE, to.iova(), SIZE);
            raises(igb);
          }
        });
  }

  static void manyCopiesAreMadeAtOnce(Variant variant) throws VfioException {
    with(
        variant,
        (device, igb, from, to) -> {
          assertThat(igb.copyAgain(from.iova(), to.iova(), Igb.CHUNK, Igb.MOST, PATIENCE)).isTrue();
          isSilent(igb);
        });
  }
}
