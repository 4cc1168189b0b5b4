package io.github.vfio4j.mock;

/** What the mock IOMMU can be asked, by the kernel's names and numbers. */
enum MockOperation {
  ADD_RESERVED(1),
  MD_CHECK_MAP(3),
  MD_CHECK_REFS(4),
  CREATE_ACCESS(5),
  DESTROY_ACCESS_PAGES(6),
  ACCESS_PAGES(7),
  ACCESS_RW(8),
  SET_TEMP_MEMORY_LIMIT(9),
  MOCK_DOMAIN_REPLACE(10),
  ACCESS_REPLACE_IOAS(11),
  MOCK_DOMAIN_FLAGS(12),
  DIRTY(13),
  MD_CHECK_IOTLB(14),
  TRIGGER_IOPF(15),
  DEV_CHECK_CACHE(16),
  TRIGGER_VEVENT(17),
  PASID_ATTACH(18),
  PASID_REPLACE(19),
  PASID_DETACH(20),
  PASID_CHECK_HWPT(21),
  DMABUF_GET(22),
  DMABUF_REVOKE(23);

  private final int number;

  MockOperation(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}
