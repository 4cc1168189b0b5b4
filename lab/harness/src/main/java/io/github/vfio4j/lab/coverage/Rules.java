package io.github.vfio4j.lab.coverage;

import static io.github.vfio4j.lab.coverage.Rule.flags;
import static io.github.vfio4j.lab.coverage.Rule.masked;
import static io.github.vfio4j.lab.coverage.Rule.pointedTo;
import static io.github.vfio4j.lab.coverage.Rule.rule;
import static io.github.vfio4j.lab.coverage.TracedField.passed;
import static io.github.vfio4j.lab.coverage.TracedField.passedShort;
import static io.github.vfio4j.lab.coverage.TracedField.returned;
import static io.github.vfio4j.lab.coverage.TracedField.returnedLong;

import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommu_hw_queue_alloc;
import io.github.vfio4j.bindings.iommu_hwpt_alloc;
import io.github.vfio4j.bindings.iommu_hwpt_get_dirty_bitmap;
import io.github.vfio4j.bindings.iommu_hwpt_invalidate;
import io.github.vfio4j.bindings.iommu_hwpt_page_response;
import io.github.vfio4j.bindings.iommu_hwpt_pgfault;
import io.github.vfio4j.bindings.iommu_hwpt_set_dirty_tracking;
import io.github.vfio4j.bindings.iommu_ioas_copy;
import io.github.vfio4j.bindings.iommu_ioas_map;
import io.github.vfio4j.bindings.iommu_ioas_map_file;
import io.github.vfio4j.bindings.iommu_option;
import io.github.vfio4j.bindings.iommu_veventq_alloc;
import io.github.vfio4j.bindings.iommu_vfio_ioas;
import io.github.vfio4j.bindings.iommu_viommu_alloc;
import io.github.vfio4j.bindings.iommufd_vevent_header;
import io.github.vfio4j.bindings.vfio_device_attach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_device_bind_iommufd;
import io.github.vfio4j.bindings.vfio_device_detach_iommufd_pt;
import io.github.vfio4j.bindings.vfio_device_feature;
import io.github.vfio4j.bindings.vfio_device_gfx_plane_info;
import io.github.vfio4j.bindings.vfio_device_ioeventfd;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_iommu_type1_dirty_bitmap;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_map;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.bindings.vfio_irq_set;
import java.util.List;

/** Which constants of the headers belong to which operation, and how a call shows their use. */
final class Rules {
  private static final String MAP_FLAGS = "IOMMU_IOAS_MAP_(FIXED_IOVA|WRITEABLE|READABLE)";
  private static final String FEATURE_FLAGS = "VFIO_DEVICE_FEATURE_(GET|SET|PROBE)";
  private static final String MASTER = "VFIO_DEVICE_FEATURE_(CLEAR|SET)_MASTER";

  private Rules() {}

  static final List<Rule> IOMMUFD =
      List.of(
          flags(MAP_FLAGS, passed(iommu_ioas_map.flags$OFFSET), "IOMMU_IOAS_MAP"),
          flags(MAP_FLAGS, passed(iommu_ioas_map_file.flags$OFFSET), "IOMMU_IOAS_MAP_FILE"),
          flags(MAP_FLAGS, passed(iommu_ioas_copy.flags$OFFSET), "IOMMU_IOAS_COPY"),
          Rule.values(
              "IOMMU_OPTION_(RLIMIT_MODE|HUGE_PAGES)",
              passed(iommu_option.option_id$OFFSET),
              "IOMMU_OPTION"),
          Rule.values("IOMMU_OPTION_OP_.*", passedShort(iommu_option.op$OFFSET), "IOMMU_OPTION"),
          Rule.values(
              "IOMMU_VFIO_IOAS_(GET|SET|CLEAR)",
              passedShort(iommu_vfio_ioas.op$OFFSET),
              "IOMMU_VFIO_IOAS"),
          flags(
              "IOMMU_HWPT_(ALLOC_.*|FAULT_ID_VALID)",
              passed(iommu_hwpt_alloc.flags$OFFSET),
              "IOMMU_HWPT_ALLOC"),
          Rule.values(
              "IOMMU_HWPT_DATA_.*", passed(iommu_hwpt_alloc.data_type$OFFSET), "IOMMU_HWPT_ALLOC"),
          pointedTo("IOMMU_VTD_S1_.*", "IOMMU_HWPT_ALLOC"),
          flags("IOMMU_HW_INFO_FLAG_.*", passed(iommu_hw_info.flags$OFFSET), "IOMMU_GET_HW_INFO"),
          Rule.values(
              "IOMMU_HW_INFO_TYPE_DEFAULT",
              passed(iommu_hw_info.in_data_type$OFFSET),
              "IOMMU_GET_HW_INFO"),
          Rule.values(
              "IOMMU_HW_INFO_TYPE_(?!DEFAULT).*",
              returned(iommu_hw_info.out_data_type$OFFSET),
              "IOMMU_GET_HW_INFO"),
          flags(
              "IOMMU_HW_CAP_.*",
              returnedLong(iommu_hw_info.out_capabilities$OFFSET),
              "IOMMU_GET_HW_INFO"),
          pointedTo("IOMMU_HW_INFO_(VTD|ARM_SMMUV3)_.*", "IOMMU_GET_HW_INFO"),
          flags(
              "IOMMU_HWPT_DIRTY_TRACKING_.*",
              passed(iommu_hwpt_set_dirty_tracking.flags$OFFSET),
              "IOMMU_HWPT_SET_DIRTY_TRACKING"),
          flags(
              "IOMMU_HWPT_GET_DIRTY_BITMAP_.*",
              passed(iommu_hwpt_get_dirty_bitmap.flags$OFFSET),
              "IOMMU_HWPT_GET_DIRTY_BITMAP"),
          Rule.values(
              "IOMMU_(HWPT|VIOMMU)_INVALIDATE_DATA_.*",
              passed(iommu_hwpt_invalidate.data_type$OFFSET),
              "IOMMU_HWPT_INVALIDATE"),
          pointedTo("IOMMU_VTD_INV_.*", "IOMMU_HWPT_INVALIDATE"),
          Rule.values(
              "IOMMU_VIOMMU_TYPE_.*", passed(iommu_viommu_alloc.type$OFFSET), "IOMMU_VIOMMU_ALLOC"),
          Rule.values(
              "IOMMU_VEVENTQ_TYPE_.*",
              passed(iommu_veventq_alloc.type$OFFSET),
              "IOMMU_VEVENTQ_ALLOC"),
          Rule.values(
              "IOMMU_HW_QUEUE_TYPE_.*",
              passed(iommu_hw_queue_alloc.type$OFFSET),
              "IOMMU_HW_QUEUE_ALLOC"),
          rule(
              "IOMMU_PGFAULT_FLAGS_.*",
              (call, value) -> anyFault(call, iommu_hwpt_pgfault.flags$OFFSET, value),
              Operation.FAULT_READ.name()),
          rule(
              "IOMMU_PGFAULT_PERM_.*",
              (call, value) -> anyFault(call, iommu_hwpt_pgfault.perm$OFFSET, value),
              Operation.FAULT_READ.name()),
          Rule.values(
              "IOMMUFD_PAGE_RESP_.*",
              passed(iommu_hwpt_page_response.code$OFFSET),
              Operation.FAULT_RESPONSE.name()),
          rule("IOMMU_VEVENTQ_FLAG_LOST_EVENTS", Rules::lost, Operation.EVENT_READ.name()));

  static final List<Rule> VFIO =
      List.of(
          flags(
              "VFIO_DEVICE_BIND_FLAG_.*",
              passed(vfio_device_bind_iommufd.flags$OFFSET),
              "VFIO_DEVICE_BIND_IOMMUFD"),
          flags(
              "VFIO_DEVICE_ATTACH_PASID",
              passed(vfio_device_attach_iommufd_pt.flags$OFFSET),
              "VFIO_DEVICE_ATTACH_IOMMUFD_PT"),
          flags(
              "VFIO_DEVICE_DETACH_PASID",
              passed(vfio_device_detach_iommufd_pt.flags$OFFSET),
              "VFIO_DEVICE_DETACH_IOMMUFD_PT"),
          flags(
              "VFIO_IRQ_SET_(DATA_(NONE|BOOL|EVENTFD)|ACTION_(MASK|UNMASK|TRIGGER))",
              passed(vfio_irq_set.flags$OFFSET),
              "VFIO_DEVICE_SET_IRQS"),
          flags(
              "VFIO_GFX_PLANE_TYPE_.*",
              passed(vfio_device_gfx_plane_info.flags$OFFSET),
              "VFIO_DEVICE_QUERY_GFX_PLANE"),
          flags(
              "VFIO_DEVICE_IOEVENTFD_\\d+",
              passed(vfio_device_ioeventfd.flags$OFFSET),
              "VFIO_DEVICE_IOEVENTFD"),
          flags(FEATURE_FLAGS, passed(vfio_device_feature.flags$OFFSET), "VFIO_DEVICE_FEATURE"),
          masked(
              "VFIO_DEVICE_FEATURE_(?!GET|SET|PROBE|MASK|CLEAR).*",
              passed(vfio_device_feature.flags$OFFSET),
              vfio_h.VFIO_DEVICE_FEATURE_MASK,
              flags -> (flags & vfio_h.VFIO_DEVICE_FEATURE_PROBE) == 0,
              "VFIO_DEVICE_FEATURE"),
          rule(MASTER, Rules::master, "VFIO_DEVICE_FEATURE"),
          flags(
              "VFIO_DMA_MAP_FLAG_.*",
              passed(vfio_iommu_type1_dma_map.flags$OFFSET),
              "VFIO_IOMMU_MAP_DMA"),
          flags(
              "VFIO_DMA_UNMAP_FLAG_.*",
              passed(vfio_iommu_type1_dma_unmap.flags$OFFSET),
              "VFIO_IOMMU_UNMAP_DMA"),
          flags(
              "VFIO_IOMMU_DIRTY_PAGES_FLAG_.*",
              passed(vfio_iommu_type1_dirty_bitmap.flags$OFFSET),
              "VFIO_IOMMU_DIRTY_PAGES"));

  private static boolean anyFault(TracedCall call, long offset, long flag) {
    for (long at = offset; at < call.returnedLength(); at += iommu_hwpt_pgfault.SIZEOF) {
      if ((call.returned(at, Integer.BYTES) & flag) != 0) {
        return true;
      }
    }
    return false;
  }

  /** Lost events are told by a header without an event: alone, or after all events. */
  private static boolean lost(TracedCall call, long flag) {
    long last = call.returnedLength() - iommufd_vevent_header.SIZEOF;
    return call.returned(0, Integer.BYTES) == flag || call.returned(last, Integer.BYTES) == flag;
  }

  private static boolean master(TracedCall call, long value) {
    long flags = call.passed(vfio_device_feature.flags$OFFSET, Integer.BYTES);
    return flags == (vfio_h.VFIO_DEVICE_FEATURE_SET | vfio_h.VFIO_DEVICE_FEATURE_BUS_MASTER)
        && call.passed(vfio_device_feature.data$OFFSET, Integer.BYTES) == value;
  }
}
