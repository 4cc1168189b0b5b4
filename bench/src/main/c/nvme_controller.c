#include "nvme_controller.h"

#include "floor.h"

#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum {
  CONFIGURATION = 0x14 / 4,
  STATUS = 0x1c / 4,
  ADMIN_QUEUE_SIZES = 0x24 / 4,
  ADMIN_SUBMISSION_QUEUE = 0x28 / 8,
  ADMIN_COMPLETION_QUEUE = 0x30 / 8,
  DOORBELLS = 0x1000 / 4,
};

enum {
  CREATE_SUBMISSION_QUEUE = 0x01,
  CREATE_COMPLETION_QUEUE = 0x05,
  SET_FEATURES = 0x09,
  NUMBER_OF_QUEUES = 0x07,
  CONTIGUOUS = 1,
  ADMIN_DEPTH = 15,
};

static const uint64_t HUGE_PAGE = 2 << 20;

static int iommufd;
static uint32_t ioas;
static uint64_t next_iova = 0x10000000;
static volatile uint32_t *registers;
static uint32_t doorbell_stride; /* in words */
static struct nvme_queue admin;

static uint64_t round_up(uint64_t number, uint64_t unit) {
  return (number + unit - 1) / unit * unit;
}

struct nvme_memory nvme_allocate(uint64_t size) {
  size = round_up(size, HUGE_PAGE);
  void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
  check(start == MAP_FAILED ? -1 : 0, "mmap of huge pages");
  struct iommu_ioas_map map = {
      .size = sizeof map,
      .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
      .ioas_id = ioas,
      .user_va = (uintptr_t)start,
      .length = size,
      .iova = next_iova,
  };
  check(ioctl(iommufd, IOMMU_IOAS_MAP, &map), "IOMMU_IOAS_MAP");
  struct nvme_memory memory = {start, next_iova};
  next_iova += size;
  return memory;
}

/* Returns the IOVAs of both queues. */
static void make_rings(struct nvme_queue *queue, uint32_t number, uint32_t depth,
                       uint64_t *commands, uint64_t *completions) {
  uint32_t entries = depth + 1;
  uint64_t command_bytes = round_up(entries * sizeof(struct nvme_command), NVME_PAGE);
  uint64_t completion_bytes = round_up(entries * sizeof(struct nvme_completion), NVME_PAGE);
  struct nvme_memory memory =
      nvme_allocate(command_bytes + completion_bytes + (uint64_t)depth * NVME_PAGE);
  char *start = memory.start;
  *commands = memory.iova;
  *completions = memory.iova + command_bytes;
  *queue = (struct nvme_queue){
      .commands = (struct nvme_command *)start,
      .completions = (struct nvme_completion *)(start + command_bytes),
      .lists = (uint64_t *)(start + command_bytes + completion_bytes),
      .lists_iova = memory.iova + command_bytes + completion_bytes,
      .tail_doorbell = registers + DOORBELLS + 2 * number * doorbell_stride,
      .head_doorbell = registers + DOORBELLS + (2 * number + 1) * doorbell_stride,
      .tags = calloc(depth, sizeof(uint64_t)),
      .free = calloc(depth, sizeof(uint16_t)),
      .free_count = depth,
      .entries = entries,
      .phase = 1,
  };
  for (uint32_t i = 0; i < depth; i++) {
    queue->free[i] = depth - 1 - i;
  }
}

static void require_success(void *context, uint64_t tag, uint32_t status) {
  (void)tag;
  if (status != 0) {
    fprintf(stderr, "%s: status 0x%x\n", (const char *)context, status);
    exit(1);
  }
}

static void ask(const char *what, uint8_t opcode, uint64_t iova, uint32_t word10, uint32_t word11) {
  nvme_transfer(&admin, opcode, 0, word10 | (uint64_t)word11 << 32, 1, iova, 0, 0);
  nvme_submit(&admin);
  while (nvme_poll(&admin, require_success, (void *)what) == 0) {
  }
}

static void await_ready(uint32_t ready) {
  while ((registers[STATUS] & 1) != ready) {
  }
}

void nvme_start(const char *address) {
  iommufd = open_iommufd();
  int device = open_cdev(address, iommufd, &ioas);
  registers = map_region(device, VFIO_PCI_BAR0_REGION_INDEX);
  set_bus_master(device);
  volatile uint64_t *wide = (volatile uint64_t *)registers;
  doorbell_stride = 1 << (wide[0] >> 32 & 0xf);

  registers[CONFIGURATION] = 0;
  await_ready(0);
  uint64_t commands, completions;
  make_rings(&admin, 0, ADMIN_DEPTH, &commands, &completions);
  registers[ADMIN_QUEUE_SIZES] = ADMIN_DEPTH << 16 | ADMIN_DEPTH;
  wide[ADMIN_SUBMISSION_QUEUE] = commands;
  wide[ADMIN_COMPLETION_QUEUE] = completions;
  registers[CONFIGURATION] = 1 | 6 << 16 | 4 << 20;
  await_ready(1);
  ask("Set Features", SET_FEATURES, 0, NUMBER_OF_QUEUES, 7 << 16 | 7);
}

void nvme_make_queue(struct nvme_queue *queue, uint32_t number, uint32_t depth) {
  uint64_t commands, completions;
  make_rings(queue, number, depth, &commands, &completions);
  uint32_t size_and_number = depth << 16 | number;
  ask("Create I/O Completion Queue", CREATE_COMPLETION_QUEUE, completions, size_and_number,
      CONTIGUOUS);
  ask("Create I/O Submission Queue", CREATE_SUBMISSION_QUEUE, commands, size_and_number,
      number << 16 | CONTIGUOUS);
}
