package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;

/** Takes capabilities apart by their numbers. */
final class Capabilities {
  private static final int HEADER = 2;
  private static final int EXTENDED_HEADER = 4;

  private Capabilities() {}

  static PciCapability conventional(CapabilityBytes bytes) throws VfioException {
    return switch (bytes.id()) {
      case PowerManagementCapability.ID -> PowerManagementCapability.read(bytes);
      case VpdCapability.ID -> new VpdCapability(bytes.offset());
      case MsiCapability.ID -> MsiCapability.read(bytes);
      case VendorCapability.ID -> VendorCapability.read(bytes);
      case PciExpressCapability.ID -> PciExpressCapability.read(bytes);
      case MsixCapability.ID -> MsixCapability.read(bytes);
      default ->
          new OtherCapability(
              bytes.id(), bytes.offset(), false, 0, bytes.data(HEADER, bytes.length()));
    };
  }

  static PciCapability extended(CapabilityBytes bytes) throws VfioException {
    return switch (bytes.id()) {
      case AerCapability.ID -> AerCapability.read(bytes);
      case SerialNumberCapability.ID -> SerialNumberCapability.read(bytes);
      case VendorExtendedCapability.ID -> VendorExtendedCapability.read(bytes);
      case AtsCapability.ID -> AtsCapability.read(bytes);
      case SriovCapability.ID -> SriovCapability.read(bytes);
      case PriCapability.ID -> PriCapability.read(bytes);
      case ResizableBarCapability.ID -> ResizableBarCapability.read(bytes);
      case PasidCapability.ID -> PasidCapability.read(bytes);
      default ->
          new OtherCapability(
              bytes.id(),
              bytes.offset(),
              true,
              bytes.version(),
              bytes.data(EXTENDED_HEADER, bytes.length()));
    };
  }
}
