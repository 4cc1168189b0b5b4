package io.github.vfio4j.config;

/** A capability of a PCI device, taken apart. */
public sealed interface PciCapability
    permits AerCapability,
        AtsCapability,
        MsiCapability,
        MsixCapability,
        OtherCapability,
        PasidCapability,
        PciExpressCapability,
        PowerManagementCapability,
        PriCapability,
        ResizableBarCapability,
        SerialNumberCapability,
        SriovCapability,
        VendorCapability,
        VendorExtendedCapability,
        VpdCapability {
  /**
   * Returns which capability it is.
   *
   * @return the number that the PCI specifications give it
   */
  int id();

  /**
   * Returns where it starts.
   *
   * @return bytes from the start of the configuration space
   */
  int offset();

  /**
   * Returns which list it is in, for both number theirs from 1 on.
   *
   * @return whether it is one of the extended configuration space
   */
  boolean isExtended();
}
