package io.github.vfio4j.kerneltests.selftests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.pci.VfToken;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.Optional;
import java.util.UUID;

/**
 * What {@code vfio_pci_sriov_uapi_test.c} tries, with this library. It makes the virtual function
 * that its cases open; ours are given one, behind the physical one.
 */
final class SriovCases {
  private static final UUID ONE = UUID.fromString("52ac9bff-3a88-4fbd-901a-0d767c3b6c97");
  private static final UUID TWO = UUID.fromString("88594674-90a0-47a9-aea8-9d9b352ac08a");

  private SriovCases() {}

  static void functionOpensWithTheTokenOfThePhysicalOne(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space();
        VfioDevice _ = openPhysical(variant, opened)) {
      opensOnlyWith(ONE, variant, opened);
    }
  }

  static void tokenOutlivesThePhysicalFunction(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space()) {
      openPhysical(variant, opened).close();
      opensOnlyWith(ONE, variant, opened);
    }
  }

  static void newTokenReplacesTheOldOne(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space();
        VfioDevice physical = openPhysical(variant, opened)) {
      VfToken.set(physical, TWO);
      opensOnlyWith(TWO, variant, opened);
    }
  }

  private static VfioDevice openPhysical(Variant variant, IommuMode.Space opened)
      throws VfioException {
    return VfioDevice.open(Sysfs.host().device(variant.device()).withVfToken(ONE), opened.space());
  }

  private static void opensOnlyWith(UUID right, Variant variant, IommuMode.Space opened)
      throws VfioException {
    PciAddress address = variant.devices().getLast();
    assertThat(address).isNotEqualTo(variant.device());
    PciDevice function = Sysfs.host().device(address);
    Optional<UUID> token = token(variant);
    HostDevice asked = token.isPresent() ? function.withVfToken(token.get()) : function;
    if (token.equals(Optional.of(right))) {
      try (VfioDevice device = VfioDevice.open(asked, opened.space())) {
        assertThat(device.pci().config().vendorId()).isEqualTo(0x8086);
      }
    } else {
      assertThatExceptionOfType(NotPermittedException.class)
          .isThrownBy(() -> VfioDevice.open(asked, opened.space()))
          .withMessageContaining("VF token")
          .satisfies(refused -> assertThat(refused.errno()).contains(Errno.EACCES))
          .satisfies(
              refused ->
                  assertThat(refused.getMessage())
                      .doesNotContain(ONE.toString())
                      .doesNotContain(TWO.toString()));
    }
  }

  private static Optional<UUID> token(Variant variant) {
    return switch (variant.rest()) {
      case "same_uuid" -> Optional.of(ONE);
      case "diff_uuid" -> Optional.of(TWO);
      case "null_uuid" -> Optional.empty();
      default -> throw new AssertionError("no such token: " + variant);
    };
  }
}
