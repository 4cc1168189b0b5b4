/* The floor's NVMe driver, its cold part: a controller that is started and has queues. */
#ifndef NVME_CONTROLLER_H
#define NVME_CONTROLLER_H

#include "nvme_queue.h"

/* Memory that the controller can reach, whole huge pages. */
struct nvme_memory {
  void *start;
  uint64_t iova;
};

/* Opens the controller on its own node, attached to a new IOAS, and starts it. */
void nvme_start(const char *address);

/* Makes a pair of queues that can have so many commands under way. Numbers are from 1 on. */
void nvme_make_queue(struct nvme_queue *queue, uint32_t number, uint32_t depth);

/* Allocates memory and maps it. */
struct nvme_memory nvme_allocate(uint64_t size);

#endif
