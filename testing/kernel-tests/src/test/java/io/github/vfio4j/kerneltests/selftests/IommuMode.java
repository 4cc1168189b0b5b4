package io.github.vfio4j.kerneltests.selftests;

import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.Guest;
import io.github.vfio4j.lab.KernelRelease;
import java.util.Arrays;
import java.util.Locale;

/**
 * The interfaces on which the kernel's programs run their cases, by the names that they have there.
 */
public enum IommuMode {
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1V2_IOMMU,
  IOMMUFD_COMPAT_TYPE1,
  IOMMUFD_COMPAT_TYPE1V2,
  IOMMUFD;

  /** What a case has of its own, and closes. */
  public interface Owner extends AutoCloseable {
    @Override
    void close() throws VfioException;
  }

  /** An address space to open devices in; whatever is opened in it ends with it. */
  public record Space(IoAddressSpace space, Owner owner) implements Owner {
    VfioDevice open(PciAddress device) throws VfioException {
      return VfioDevice.open(device, space);
    }

    @Override
    public void close() throws VfioException {
      owner.close();
    }
  }

  /**
   * The mode that a variant's name begins with; what does not name one runs on iommufd, as the
   * programs do.
   */
  static IommuMode of(String variant) {
    return Arrays.stream(values())
        .filter(mode -> variant.equals(mode.text()) || variant.startsWith(mode.text() + "_"))
        .findFirst()
        .orElse(IOMMUFD);
  }

  String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  boolean isLegacy() {
    return this == VFIO_TYPE1_IOMMU || this == VFIO_TYPE1V2_IOMMU;
  }

  /** Whether the running kernel takes a VF token of who opens a device so. */
  public boolean takesTokens() {
    return isLegacy()
        || Guest.current().kernel().compareTo(KernelRelease.parse(this == IOMMUFD ? "6.17" : "6.6"))
            >= 0;
  }

  private Container.Type type() {
    return this == VFIO_TYPE1_IOMMU || this == IOMMUFD_COMPAT_TYPE1
        ? Container.Type.TYPE1
        : Container.Type.TYPE1V2;
  }

  public Space space() throws VfioException {
    if (isLegacy()) {
      Container container = Container.open(type());
      return new Space(container, container::close);
    }
    Iommufd iommufd = Iommufd.open();
    try {
      IoAddressSpace space =
          this == IOMMUFD ? iommufd.allocateIoas() : Container.open(iommufd, type());
      return new Space(space, iommufd::close);
    } catch (VfioException e) {
      iommufd.close();
      throw e;
    }
  }
}
