/* map ioas|container SIZE OPERATIONS: prints the nanoseconds that mapping and unmapping take. */
#include "floor.h"

#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static const char DEVICE[] = "0000:00:05.0";
static const uint64_t IOVA = 0x10000000;
static const uint64_t HUGE_PAGE = 2 << 20;

static void ioas_pairs(int iommufd, uint32_t ioas, void *memory, uint64_t size, long pairs) {
  while (pairs-- > 0) {
    struct iommu_ioas_map map = {
        .size = sizeof map,
        .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
        .ioas_id = ioas,
        .user_va = (uintptr_t)memory,
        .length = size,
        .iova = IOVA,
    };
    check(ioctl(iommufd, IOMMU_IOAS_MAP, &map), "IOMMU_IOAS_MAP");
    struct iommu_ioas_unmap unmap = {
        .size = sizeof unmap, .ioas_id = ioas, .iova = IOVA, .length = size};
    check(ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap), "IOMMU_IOAS_UNMAP");
  }
}

static void container_pairs(int container, void *memory, uint64_t size, long pairs) {
  while (pairs-- > 0) {
    struct vfio_iommu_type1_dma_map map = {
        .argsz = sizeof map,
        .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
        .vaddr = (uintptr_t)memory,
        .iova = IOVA,
        .size = size,
    };
    check(ioctl(container, VFIO_IOMMU_MAP_DMA, &map), "VFIO_IOMMU_MAP_DMA");
    struct vfio_iommu_type1_dma_unmap unmap = {.argsz = sizeof unmap, .iova = IOVA, .size = size};
    check(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap), "VFIO_IOMMU_UNMAP_DMA");
  }
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: map ioas|container SIZE OPERATIONS\n");
    return 2;
  }
  int ioas_wanted = strcmp(arguments[1], "ioas") == 0;
  uint64_t size = strtoull(arguments[2], NULL, 0);
  long pairs = strtol(arguments[3], NULL, 0);

  void *memory = map_huge_pages(size < HUGE_PAGE ? HUGE_PAGE : size);
  start_idle_thread();
  int space;
  uint32_t ioas = 0;
  if (ioas_wanted) {
    space = open_iommufd();
    open_cdev(DEVICE, space, &ioas);
  } else {
    open_grouped(DEVICE, &space);
  }
  int64_t start = 0;
  for (int warm = 0; warm < 2; warm++) {
    start = now();
    if (ioas_wanted) {
      ioas_pairs(space, ioas, memory, size, pairs);
    } else {
      container_pairs(space, memory, size, pairs);
    }
  }
  printf("%f\n", (double)(now() - start) / pairs);
}
