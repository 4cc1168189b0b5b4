package io.github.vfio4j.kerneltests;

import io.github.vfio4j.PciAddress;

/** Where devices sit in the machines that have an IOMMU, by names that an annotation can have. */
enum Device {
  EDU("0000:00:05.0"),
  EDU_2("0000:00:0b.0"),
  BRIDGE("0000:00:08.0"),
  BRIDGED_EDU("0000:03:01.0"),
  BRIDGED_EDU_2("0000:03:02.0"),
  BRIDGED_RNG("0000:03:03.0"),
  IVSHMEM("0000:00:09.0"),
  RNG("0000:00:0a.0"),
  IGB("0000:01:00.0"),
  NVME("0000:02:00.0"),
  NVME_2("0000:02:00.1"),
  HOT_IGB("0000:04:00.0"),
  HOT_PORT("0000:00:0c.0"),
  XHCI("0000:00:0d.0"),
  NVME_3("0000:05:00.0"),
  IVSHMEM_2("0000:06:00.0"),
  NVME_SRIOV("0000:07:00.0");

  private final String address;

  Device(String address) {
    this.address = address;
  }

  PciAddress address() {
    return PciAddress.of(address);
  }
}
