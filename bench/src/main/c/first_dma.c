/*
 * first-dma: opens a device and starts a DMA. It prints the clock when it began, and when the DMA was started; then it
 * waits for the end of that.
 */
#include "floor.h"

#include <linux/iommufd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static const char DEVICE[] = "0000:00:05.0";
static const uint64_t IOVA = 0x1000;
static const uint64_t PAGE = 4096;
static const uint64_t DEVICE_MEMORY = 0x40000;
enum { SOURCE = 0x80 / 8, DESTINATION = 0x88 / 8, COUNT = 0x90 / 8, COMMAND = 0x98 / 8 };
enum { START = 1, FROM_DEVICE = 2 };

int main(void) {
  int64_t begun = now();
  uint32_t ioas;
  int iommufd = open_iommufd();
  int device = open_cdev(DEVICE, iommufd, &ioas);
  volatile uint64_t *registers = map_region(device, 0);
  set_bus_master(device);
  volatile int64_t *memory =
      mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(memory == MAP_FAILED ? -1 : 0, "mmap");
  struct iommu_ioas_map map = {
      .size = sizeof map,
      .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
      .ioas_id = ioas,
      .user_va = (uintptr_t)memory,
      .length = PAGE,
      .iova = IOVA,
  };
  check(ioctl(iommufd, IOMMU_IOAS_MAP, &map), "IOMMU_IOAS_MAP");
  memory[0] = -1;
  registers[SOURCE] = DEVICE_MEMORY;
  registers[DESTINATION] = IOVA;
  registers[COUNT] = sizeof memory[0];
  registers[COMMAND] = START | FROM_DEVICE;
  int64_t started = now();
  while (registers[COMMAND] & START) {
    usleep(1000);
  }
  if (memory[0] == -1) {
    fprintf(stderr, "first-dma: the device wrote nothing\n");
    return 1;
  }
  printf("%ld %ld\n", (long)begun, (long)started);
}
