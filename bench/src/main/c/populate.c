/*
 * populate ordinary|transparent populated|untouched OPERATIONS: prints the nanoseconds that making a gigabyte of
 * memory and mapping it on an IOAS take; freeing it is not counted.
 *
 * populated: its pages are there before it is mapped, by one thread. untouched: the kernel finds none when it pins
 * them.
 */
#define _GNU_SOURCE /* madvise */

#include "floor.h"

#include <linux/iommufd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static const char DEVICE[] = "0000:00:05.0";
static const uint64_t IOVA = 0x10000000;
static const uint64_t SIZE = 1 << 30;
static const uint64_t HUGE_PAGE = 2 << 20;

static int iommufd;
static uint32_t ioas;

static int64_t make_and_map(int transparent, int populated) {
  int64_t start = now();
  char *whole = mmap(NULL, SIZE + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(whole == MAP_FAILED ? -1 : 0, "mmap");
  char *memory = whole + (-(uintptr_t)whole & (HUGE_PAGE - 1));
  if (transparent) {
    check(madvise(memory, SIZE, MADV_HUGEPAGE), "MADV_HUGEPAGE");
  }
  if (populated) {
    check(madvise(memory, SIZE, MADV_POPULATE_WRITE), "MADV_POPULATE_WRITE");
  }
  struct iommu_ioas_map map = {
      .size = sizeof map,
      .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
      .ioas_id = ioas,
      .user_va = (uintptr_t)memory,
      .length = SIZE,
      .iova = IOVA,
  };
  check(ioctl(iommufd, IOMMU_IOAS_MAP, &map), "IOMMU_IOAS_MAP");
  int64_t nanos = now() - start;
  struct iommu_ioas_unmap unmap = {.size = sizeof unmap, .ioas_id = ioas, .iova = IOVA, .length = SIZE};
  check(ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap), "IOMMU_IOAS_UNMAP");
  check(munmap(whole, SIZE + HUGE_PAGE), "munmap");
  return nanos;
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: populate ordinary|transparent populated|untouched OPERATIONS\n");
    return 2;
  }
  int transparent = strcmp(arguments[1], "transparent") == 0;
  int populated = strcmp(arguments[2], "populated") == 0;
  long operations = strtol(arguments[3], NULL, 0);
  iommufd = open_iommufd();
  open_cdev(DEVICE, iommufd, &ioas);
  int64_t nanos = 0;
  for (long i = 0; i < operations; i++) {
    nanos += make_and_map(transparent, populated);
  }
  printf("%f\n", (double)nanos / operations);
}
