package io.github.vfio4j.iommufd;

import io.github.vfio4j.bindings.iommufd_h;

/** The answer to a page fault. */
public enum PageResponse {
  /** The page is there now: the device tries again. */
  SUCCESS(iommufd_h.IOMMUFD_PAGE_RESP_SUCCESS),

  /** The page will not be there: the device's access fails. */
  INVALID(iommufd_h.IOMMUFD_PAGE_RESP_INVALID);

  private final int code;

  PageResponse(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
