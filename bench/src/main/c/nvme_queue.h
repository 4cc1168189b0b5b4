/*
 * The floor's NVMe driver, its hot part: a submission queue and its completion queue, polled, with one
 * write to a doorbell for as many commands as were put into the queue. What the library's QueuePair
 * promises besides its caller is not here: no check of an argument, no closing, no reset.
 */
#ifndef NVME_QUEUE_H
#define NVME_QUEUE_H

#include <stdatomic.h>
#include <stdint.h>

enum {
  NVME_PAGE = 4096,
  NVME_WRITE = 1,
  NVME_READ = 2,
};

struct nvme_command {
  uint8_t opcode;
  uint8_t flags;
  uint16_t identifier;
  uint32_t namespace_id;
  uint64_t reserved;
  uint64_t metadata;
  uint64_t prp1;
  uint64_t prp2;
  uint32_t words[6]; /* the tenth to the fifteenth */
};

struct nvme_completion {
  uint32_t result;
  uint32_t reserved;
  uint16_t head;
  uint16_t queue;
  uint16_t identifier;
  uint16_t status; /* with the phase in its lowest bit */
};

struct nvme_queue {
  struct nvme_command *commands;
  volatile struct nvme_completion *completions;
  uint64_t *lists; /* a page for each command */
  uint64_t lists_iova;
  volatile uint32_t *tail_doorbell;
  volatile uint32_t *head_doorbell;
  uint64_t *tags;
  uint16_t *free;
  uint32_t free_count;
  uint32_t entries;
  uint32_t tail;
  uint32_t head;
  uint32_t phase;
};

/* Takes a command that has ended: its tag, and its status, 0 if it was successful. */
typedef void nvme_ended(void *context, uint64_t tag, uint32_t status);

#ifdef NVME_DESCRIPTORS
static inline void nvme_data(struct nvme_queue *queue, struct nvme_command *command, uint32_t slot,
                             uint64_t iova, uint64_t size) {
  (void)queue, (void)slot;
  command->flags = 1 << 6;
  command->prp1 = iova;
  command->prp2 = size; /* and above it the descriptor's type, 0 */
}
#else
static inline void nvme_data(struct nvme_queue *queue, struct nvme_command *command, uint32_t slot,
                             uint64_t iova, uint64_t size) {
  uint64_t next = (iova & -NVME_PAGE) + NVME_PAGE, end = iova + size;
  command->prp1 = iova;
  if (end <= next) {
    return;
  }
  if (end <= next + NVME_PAGE) {
    command->prp2 = next;
    return;
  }
  command->prp2 = queue->lists_iova + (uint64_t)slot * NVME_PAGE;
  for (uint64_t *entry = queue->lists + slot * (NVME_PAGE / sizeof *entry); next < end;
       next += NVME_PAGE) {
    *entry++ = next;
  }
}
#endif

/* Puts a command into the queue; returns 0 if that is full. */
static inline int nvme_transfer(struct nvme_queue *queue, uint8_t opcode, uint32_t namespace_id,
                                uint64_t block, uint32_t blocks, uint64_t iova, uint64_t size,
                                uint64_t tag) {
  if (queue->free_count == 0) {
    return 0;
  }
  uint32_t slot = queue->free[--queue->free_count];
  struct nvme_command *command = &queue->commands[queue->tail];
  *command = (struct nvme_command){
      .opcode = opcode,
      .identifier = slot,
      .namespace_id = namespace_id,
      .words = {(uint32_t)block, (uint32_t)(block >> 32), blocks - 1},
  };
  nvme_data(queue, command, slot, iova, size);
  queue->tags[slot] = tag;
  queue->tail = queue->tail + 1 == queue->entries ? 0 : queue->tail + 1;
  return 1;
}

/* Tells the controller of all commands in the queue. */
static inline void nvme_submit(struct nvme_queue *queue) {
  atomic_thread_fence(memory_order_release);
  *queue->tail_doorbell = queue->tail;
}

/* Hands out the commands that have ended; returns how many. */
static inline int nvme_poll(struct nvme_queue *queue, nvme_ended *ended, void *context) {
  int taken = 0;
  while (1) {
    volatile struct nvme_completion *completion = &queue->completions[queue->head];
    uint32_t status = completion->status;
    if ((status & 1) != queue->phase) {
      break;
    }
    atomic_thread_fence(memory_order_acquire);
    uint32_t slot = completion->identifier;
    if (++queue->head == queue->entries) {
      queue->head = 0;
      queue->phase ^= 1;
    }
    queue->free[queue->free_count++] = slot;
    taken++;
    ended(context, queue->tags[slot], status >> 1);
  }
  if (taken > 0) {
    *queue->head_doorbell = queue->head;
  }
  return taken;
}

#endif
