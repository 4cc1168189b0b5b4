package io.github.vfio4j.linux;

import io.github.vfio4j.bindings.iommu_destroy;
import io.github.vfio4j.bindings.iommu_fault_alloc;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommu_hw_queue_alloc;
import io.github.vfio4j.bindings.iommu_hwpt_alloc;
import io.github.vfio4j.bindings.iommu_hwpt_get_dirty_bitmap;
import io.github.vfio4j.bindings.iommu_hwpt_invalidate;
import io.github.vfio4j.bindings.iommu_hwpt_set_dirty_tracking;
import io.github.vfio4j.bindings.iommu_ioas_alloc;
import io.github.vfio4j.bindings.iommu_ioas_allow_iovas;
import io.github.vfio4j.bindings.iommu_ioas_change_process;
import io.github.vfio4j.bindings.iommu_ioas_copy;
import io.github.vfio4j.bindings.iommu_ioas_iova_ranges;
import io.github.vfio4j.bindings.iommu_ioas_map;
import io.github.vfio4j.bindings.iommu_ioas_map_file;
import io.github.vfio4j.bindings.iommu_ioas_noiommu_get_pa;
import io.github.vfio4j.bindings.iommu_ioas_unmap;
import io.github.vfio4j.bindings.iommu_option;
import io.github.vfio4j.bindings.iommu_vdevice_alloc;
import io.github.vfio4j.bindings.iommu_veventq_alloc;
import io.github.vfio4j.bindings.iommu_vfio_ioas;
import io.github.vfio4j.bindings.iommu_viommu_alloc;
import io.github.vfio4j.bindings.kvm_create_device;
import io.github.vfio4j.bindings.kvm_device_attr;
import io.github.vfio4j.bindings.kvm_dirty_log;
import io.github.vfio4j.bindings.kvm_ioeventfd;
import io.github.vfio4j.bindings.kvm_irq_level;
import io.github.vfio4j.bindings.kvm_irq_routing;
import io.github.vfio4j.bindings.kvm_irqfd;
import io.github.vfio4j.bindings.kvm_mp_state;
import io.github.vfio4j.bindings.kvm_userspace_memory_region;
import io.github.vfio4j.bindings.vfio_device_attach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_device_bind_iommufd;
import io.github.vfio4j.bindings.vfio_device_detach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_device_feature;
import io.github.vfio4j.bindings.vfio_device_gfx_plane_info;
import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.bindings.vfio_device_ioeventfd;
import io.github.vfio4j.bindings.vfio_group_status;
import io.github.vfio4j.bindings.vfio_iommu_type1_dirty_bitmap;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_map;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.bindings.vfio_iommu_type1_info;
import io.github.vfio4j.bindings.vfio_irq_info;
import io.github.vfio4j.bindings.vfio_irq_set;
import io.github.vfio4j.bindings.vfio_pci_hot_reset;
import io.github.vfio4j.bindings.vfio_pci_hot_reset_info;
import io.github.vfio4j.bindings.vfio_precopy_info;
import io.github.vfio4j.bindings.vfio_region_info;
import io.github.vfio4j.bindings.x86.kvm_cpuid2;
import io.github.vfio4j.bindings.x86.kvm_debugregs;
import io.github.vfio4j.bindings.x86.kvm_irqchip;
import io.github.vfio4j.bindings.x86.kvm_lapic_state;
import io.github.vfio4j.bindings.x86.kvm_msr_list;
import io.github.vfio4j.bindings.x86.kvm_msrs;
import io.github.vfio4j.bindings.x86.kvm_pit_config;
import io.github.vfio4j.bindings.x86.kvm_pit_state2;
import io.github.vfio4j.bindings.x86.kvm_regs;
import io.github.vfio4j.bindings.x86.kvm_sregs;
import io.github.vfio4j.bindings.x86.kvm_vcpu_events;
import io.github.vfio4j.bindings.x86.kvm_xcrs;
import io.github.vfio4j.bindings.x86.kvm_xsave;
import java.lang.foreign.GroupLayout;
import java.util.Optional;

/** The structures that the ioctls pass. */
final class StructureLayouts {
  private StructureLayouts() {}

  /** Returns nothing for an ioctl that passes a number, a text or a lone integer. */
  static Optional<GroupLayout> of(Ioctl ioctl) {
    return Optional.ofNullable(
        switch (ioctl) {
          case VFIO_GET_API_VERSION,
              VFIO_CHECK_EXTENSION,
              VFIO_SET_IOMMU,
              VFIO_GROUP_SET_CONTAINER,
              VFIO_GROUP_GET_DEVICE_FD,
              VFIO_DEVICE_GET_GFX_DMABUF,
              DMA_BUF_IOCTL_SYNC,
              VFIO_DEVICE_RESET,
              KVM_GET_API_VERSION,
              KVM_CREATE_VM,
              KVM_CHECK_EXTENSION,
              KVM_GET_VCPU_MMAP_SIZE,
              KVM_CREATE_VCPU,
              KVM_RUN,
              KVM_CREATE_IRQCHIP,
              KVM_SET_TSC_KHZ,
              KVM_SET_TSS_ADDR,
              KVM_SET_IDENTITY_MAP_ADDR ->
              null;
          case VFIO_GROUP_GET_STATUS -> vfio_group_status.LAYOUT;
          case VFIO_IOMMU_GET_INFO -> vfio_iommu_type1_info.LAYOUT;
          case VFIO_IOMMU_MAP_DMA -> vfio_iommu_type1_dma_map.LAYOUT;
          case VFIO_IOMMU_UNMAP_DMA -> vfio_iommu_type1_dma_unmap.LAYOUT;
          case VFIO_IOMMU_DIRTY_PAGES -> vfio_iommu_type1_dirty_bitmap.LAYOUT;
          case VFIO_DEVICE_GET_INFO -> vfio_device_info.LAYOUT;
          case VFIO_DEVICE_GET_REGION_INFO -> vfio_region_info.LAYOUT;
          case VFIO_DEVICE_GET_IRQ_INFO -> vfio_irq_info.LAYOUT;
          case VFIO_DEVICE_SET_IRQS -> vfio_irq_set.LAYOUT;
          case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO -> vfio_pci_hot_reset_info.LAYOUT;
          case VFIO_DEVICE_PCI_HOT_RESET -> vfio_pci_hot_reset.LAYOUT;
          case VFIO_DEVICE_IOEVENTFD -> vfio_device_ioeventfd.LAYOUT;
          case VFIO_DEVICE_FEATURE -> vfio_device_feature.LAYOUT;
          case VFIO_DEVICE_QUERY_GFX_PLANE -> vfio_device_gfx_plane_info.LAYOUT;
          case VFIO_DEVICE_BIND_IOMMUFD -> vfio_device_bind_iommufd.LAYOUT;
          case VFIO_DEVICE_ATTACH_IOMMUFD_PT -> vfio_device_attach_iommufd_pt.LAYOUT;
          case VFIO_DEVICE_DETACH_IOMMUFD_PT -> vfio_device_detach_iommufd_pt.LAYOUT;
          case VFIO_MIG_GET_PRECOPY_INFO -> vfio_precopy_info.LAYOUT;
          case IOMMU_DESTROY -> iommu_destroy.LAYOUT;
          case IOMMU_IOAS_ALLOC -> iommu_ioas_alloc.LAYOUT;
          case IOMMU_IOAS_IOVA_RANGES -> iommu_ioas_iova_ranges.LAYOUT;
          case IOMMU_IOAS_MAP -> iommu_ioas_map.LAYOUT;
          case IOMMU_IOAS_UNMAP -> iommu_ioas_unmap.LAYOUT;
          case IOMMU_IOAS_ALLOW_IOVAS -> iommu_ioas_allow_iovas.LAYOUT;
          case IOMMU_IOAS_COPY -> iommu_ioas_copy.LAYOUT;
          case IOMMU_OPTION -> iommu_option.LAYOUT;
          case IOMMU_VFIO_IOAS -> iommu_vfio_ioas.LAYOUT;
          case IOMMU_HWPT_ALLOC -> iommu_hwpt_alloc.LAYOUT;
          case IOMMU_GET_HW_INFO -> iommu_hw_info.LAYOUT;
          case IOMMU_HWPT_SET_DIRTY_TRACKING -> iommu_hwpt_set_dirty_tracking.LAYOUT;
          case IOMMU_HWPT_GET_DIRTY_BITMAP -> iommu_hwpt_get_dirty_bitmap.LAYOUT;
          case IOMMU_HWPT_INVALIDATE -> iommu_hwpt_invalidate.LAYOUT;
          case IOMMU_FAULT_QUEUE_ALLOC -> iommu_fault_alloc.LAYOUT;
          case IOMMU_IOAS_MAP_FILE -> iommu_ioas_map_file.LAYOUT;
          case IOMMU_IOAS_CHANGE_PROCESS -> iommu_ioas_change_process.LAYOUT;
          case IOMMU_VIOMMU_ALLOC -> iommu_viommu_alloc.LAYOUT;
          case IOMMU_VDEVICE_ALLOC -> iommu_vdevice_alloc.LAYOUT;
          case IOMMU_VEVENTQ_ALLOC -> iommu_veventq_alloc.LAYOUT;
          case IOMMU_HW_QUEUE_ALLOC -> iommu_hw_queue_alloc.LAYOUT;
          case IOMMU_IOAS_NOIOMMU_GET_PA -> iommu_ioas_noiommu_get_pa.LAYOUT;
          case KVM_SET_USER_MEMORY_REGION -> kvm_userspace_memory_region.LAYOUT;
          case KVM_GET_DIRTY_LOG -> kvm_dirty_log.LAYOUT;
          case KVM_IRQ_LINE -> kvm_irq_level.LAYOUT;
          case KVM_GET_REGS, KVM_SET_REGS -> kvm_regs.LAYOUT;
          case KVM_GET_SREGS, KVM_SET_SREGS -> kvm_sregs.LAYOUT;
          case KVM_GET_MSR_INDEX_LIST -> kvm_msr_list.LAYOUT;
          case KVM_GET_MSRS, KVM_SET_MSRS -> kvm_msrs.LAYOUT;
          case KVM_GET_XSAVE, KVM_SET_XSAVE -> kvm_xsave.LAYOUT;
          case KVM_GET_MP_STATE, KVM_SET_MP_STATE -> kvm_mp_state.LAYOUT;
          case KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS -> kvm_vcpu_events.LAYOUT;
          case KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS -> kvm_debugregs.LAYOUT;
          case KVM_GET_XCRS, KVM_SET_XCRS -> kvm_xcrs.LAYOUT;
          case KVM_GET_IRQCHIP, KVM_SET_IRQCHIP -> kvm_irqchip.LAYOUT;
          case KVM_GET_PIT2, KVM_SET_PIT2 -> kvm_pit_state2.LAYOUT;
          case KVM_GET_LAPIC, KVM_SET_LAPIC -> kvm_lapic_state.LAYOUT;
          case KVM_GET_SUPPORTED_CPUID, KVM_SET_CPUID2 -> kvm_cpuid2.LAYOUT;
          case KVM_CREATE_PIT2 -> kvm_pit_config.LAYOUT;
          case KVM_SET_GSI_ROUTING -> kvm_irq_routing.LAYOUT;
          case KVM_IRQFD -> kvm_irqfd.LAYOUT;
          case KVM_IOEVENTFD -> kvm_ioeventfd.LAYOUT;
          case KVM_CREATE_DEVICE -> kvm_create_device.LAYOUT;
          case KVM_SET_DEVICE_ATTR -> kvm_device_attr.LAYOUT;
        });
  }
}
