/*
 * live ioas|container LIVE OPERATIONS: prints the nanoseconds that unmapping one of LIVE mappings and mapping it
 * again take. All are of pages of one huge page.
 */
#include "floor.h"

#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static const char DEVICE[] = "0000:00:05.0";
static const uint64_t IOVA = 0x100000000;
static const uint64_t STRIDE = 8192;
static const uint64_t PAGE = 4096;
static const size_t HUGE_PAGE = 2 << 20;

static int space;
static uint32_t ioas;
static char *memory;

static void map_ioas(uint64_t index) {
  struct iommu_ioas_map map = {
      .size = sizeof map,
      .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
      .ioas_id = ioas,
      .user_va = (uintptr_t)memory + index * PAGE % HUGE_PAGE,
      .length = PAGE,
      .iova = IOVA + index * STRIDE,
  };
  check(ioctl(space, IOMMU_IOAS_MAP, &map), "IOMMU_IOAS_MAP");
}

static void unmap_ioas(uint64_t index) {
  struct iommu_ioas_unmap unmap = {
      .size = sizeof unmap, .ioas_id = ioas, .iova = IOVA + index * STRIDE, .length = PAGE};
  check(ioctl(space, IOMMU_IOAS_UNMAP, &unmap), "IOMMU_IOAS_UNMAP");
}

static void map_container(uint64_t index) {
  struct vfio_iommu_type1_dma_map map = {
      .argsz = sizeof map,
      .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
      .vaddr = (uintptr_t)memory + index * PAGE % HUGE_PAGE,
      .iova = IOVA + index * STRIDE,
      .size = PAGE,
  };
  check(ioctl(space, VFIO_IOMMU_MAP_DMA, &map), "VFIO_IOMMU_MAP_DMA");
}

static void unmap_container(uint64_t index) {
  struct vfio_iommu_type1_dma_unmap unmap = {
      .argsz = sizeof unmap, .iova = IOVA + index * STRIDE, .size = PAGE};
  check(ioctl(space, VFIO_IOMMU_UNMAP_DMA, &unmap), "VFIO_IOMMU_UNMAP_DMA");
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: live ioas|container LIVE OPERATIONS\n");
    return 2;
  }
  int ioas_wanted = strcmp(arguments[1], "ioas") == 0;
  uint64_t live = strtoull(arguments[2], NULL, 0);
  long operations = strtol(arguments[3], NULL, 0);

  memory = map_huge_pages(HUGE_PAGE);
  start_idle_thread();
  if (ioas_wanted) {
    space = open_iommufd();
    open_cdev(DEVICE, space, &ioas);
  } else {
    open_grouped(DEVICE, &space);
  }
  for (uint64_t i = 0; i < live; i++) {
    ioas_wanted ? map_ioas(i) : map_container(i);
  }

  int64_t start = 0;
  for (int warm = 0; warm < 2; warm++) {
    uint64_t state = 1; /* the same places as in Java */
    start = now();
    for (long i = 0; i < operations; i++) {
      state = state * 6364136223846793005 + 1442695040888963407;
      uint64_t index = (state >> 33) % live;
      if (ioas_wanted) {
        unmap_ioas(index);
        map_ioas(index);
      } else {
        unmap_container(index);
        map_container(index);
      }
    }
  }
  printf("%f\n", (double)(now() - start) / operations);
}
