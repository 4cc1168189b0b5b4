package io.github.vfio4j.linux;

import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.bindings.vfio_h;

/** The ioctls that the library issues, by the kernel's names. */
public enum Ioctl {
  VFIO_GET_API_VERSION(vfio_h.VFIO_GET_API_VERSION, "3.6"),
  VFIO_CHECK_EXTENSION(vfio_h.VFIO_CHECK_EXTENSION, "3.6"),
  VFIO_SET_IOMMU(vfio_h.VFIO_SET_IOMMU, "3.6"),
  VFIO_GROUP_GET_STATUS(vfio_h.VFIO_GROUP_GET_STATUS, "3.6"),
  VFIO_GROUP_SET_CONTAINER(vfio_h.VFIO_GROUP_SET_CONTAINER, "3.6"),
  VFIO_GROUP_GET_DEVICE_FD(vfio_h.VFIO_GROUP_GET_DEVICE_FD, "3.6"),
  VFIO_IOMMU_GET_INFO(vfio_h.VFIO_IOMMU_GET_INFO, "3.6"),
  VFIO_IOMMU_MAP_DMA(vfio_h.VFIO_IOMMU_MAP_DMA, "3.6"),
  VFIO_IOMMU_UNMAP_DMA(vfio_h.VFIO_IOMMU_UNMAP_DMA, "3.6"),
  VFIO_IOMMU_DIRTY_PAGES(vfio_h.VFIO_IOMMU_DIRTY_PAGES, "5.8"),
  VFIO_DEVICE_GET_INFO(vfio_h.VFIO_DEVICE_GET_INFO, "3.6"),
  VFIO_DEVICE_GET_REGION_INFO(vfio_h.VFIO_DEVICE_GET_REGION_INFO, "3.6"),
  VFIO_DEVICE_GET_IRQ_INFO(vfio_h.VFIO_DEVICE_GET_IRQ_INFO, "3.6"),
  VFIO_DEVICE_SET_IRQS(vfio_h.VFIO_DEVICE_SET_IRQS, "3.6"),
  VFIO_DEVICE_RESET(vfio_h.VFIO_DEVICE_RESET, "3.6"),
  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO(vfio_h.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, "3.12"),
  VFIO_DEVICE_PCI_HOT_RESET(vfio_h.VFIO_DEVICE_PCI_HOT_RESET, "3.12"),
  VFIO_DEVICE_IOEVENTFD(vfio_h.VFIO_DEVICE_IOEVENTFD, "4.17"),
  VFIO_DEVICE_FEATURE(vfio_h.VFIO_DEVICE_FEATURE, "5.7"),
  VFIO_DEVICE_QUERY_GFX_PLANE(vfio_h.VFIO_DEVICE_QUERY_GFX_PLANE, "4.16"),
  VFIO_DEVICE_GET_GFX_DMABUF(vfio_h.VFIO_DEVICE_GET_GFX_DMABUF, "4.16"),
  VFIO_DEVICE_BIND_IOMMUFD(vfio_h.VFIO_DEVICE_BIND_IOMMUFD, "6.6"),
  VFIO_DEVICE_ATTACH_IOMMUFD_PT(vfio_h.VFIO_DEVICE_ATTACH_IOMMUFD_PT, "6.6"),
  VFIO_DEVICE_DETACH_IOMMUFD_PT(vfio_h.VFIO_DEVICE_DETACH_IOMMUFD_PT, "6.6"),
  /** Of {@code linux/dma-buf.h}, of which this is all that is needed. */
  DMA_BUF_IOCTL_SYNC(0x40086200, "4.6"),
  IOMMU_DESTROY(iommufd_h.IOMMU_DESTROY, "6.2"),
  IOMMU_IOAS_ALLOC(iommufd_h.IOMMU_IOAS_ALLOC, "6.2"),
  IOMMU_IOAS_IOVA_RANGES(iommufd_h.IOMMU_IOAS_IOVA_RANGES, "6.2"),
  IOMMU_IOAS_MAP(iommufd_h.IOMMU_IOAS_MAP, "6.2"),
  IOMMU_IOAS_UNMAP(iommufd_h.IOMMU_IOAS_UNMAP, "6.2"),
  IOMMU_IOAS_ALLOW_IOVAS(iommufd_h.IOMMU_IOAS_ALLOW_IOVAS, "6.2"),
  IOMMU_IOAS_COPY(iommufd_h.IOMMU_IOAS_COPY, "6.2"),
  IOMMU_OPTION(iommufd_h.IOMMU_OPTION, "6.2"),
  IOMMU_VFIO_IOAS(iommufd_h.IOMMU_VFIO_IOAS, "6.2"),
  IOMMU_HWPT_ALLOC(iommufd_h.IOMMU_HWPT_ALLOC, "6.6"),
  IOMMU_GET_HW_INFO(iommufd_h.IOMMU_GET_HW_INFO, "6.6"),
  IOMMU_HWPT_SET_DIRTY_TRACKING(iommufd_h.IOMMU_HWPT_SET_DIRTY_TRACKING, "6.7"),
  IOMMU_HWPT_GET_DIRTY_BITMAP(iommufd_h.IOMMU_HWPT_GET_DIRTY_BITMAP, "6.7"),
  IOMMU_HWPT_INVALIDATE(iommufd_h.IOMMU_HWPT_INVALIDATE, "6.8"),
  IOMMU_FAULT_QUEUE_ALLOC(iommufd_h.IOMMU_FAULT_QUEUE_ALLOC, "6.11"),
  IOMMU_IOAS_MAP_FILE(iommufd_h.IOMMU_IOAS_MAP_FILE, "6.13"),
  IOMMU_IOAS_CHANGE_PROCESS(iommufd_h.IOMMU_IOAS_CHANGE_PROCESS, "6.13"),
  IOMMU_VIOMMU_ALLOC(iommufd_h.IOMMU_VIOMMU_ALLOC, "6.13"),
  IOMMU_VDEVICE_ALLOC(iommufd_h.IOMMU_VDEVICE_ALLOC, "6.13"),
  IOMMU_VEVENTQ_ALLOC(iommufd_h.IOMMU_VEVENTQ_ALLOC, "6.15"),
  IOMMU_HW_QUEUE_ALLOC(iommufd_h.IOMMU_HW_QUEUE_ALLOC, "6.17"),
  IOMMU_IOAS_NOIOMMU_GET_PA(iommufd_h.IOMMU_IOAS_NOIOMMU_GET_PA, "7.3");

  private final int number;
  private final String since;

  Ioctl(int number, String since) {
    this.number = number;
    this.since = since;
  }

  /** Returns the request number, as the kernel's headers define it. */
  public int number() {
    return number;
  }

  /** Returns the first kernel that has it. */
  public String since() {
    return since;
  }
}
