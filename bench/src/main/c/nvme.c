/*
 * nvme cpu|latency|rate read|write random|sequential SIZE DEPTH PAIRS OPERATIONS: prints the nanoseconds of
 * one operation on a disk.
 *
 * cpu: what putting the commands into the queues and taking the completions out takes, without the time in
 * between, in which the program sleeps; the median of all batches of DEPTH.
 * latency: from putting a command into the queue until it has ended, the median; then all of them.
 * rate: with DEPTH under way in each pair all the time.
 */
#include "floor.h"
#include "nvme_controller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char DEVICE[] = "0000:02:00.0";

enum {
  NAMESPACE = 1,
  BLOCK = 512,
  PLACES = 4096,
  MOST_PAIRS = 4,
  CLOCK_READINGS = 1000,
  PAUSE_NANOS = 5000000,
  MOST_PAUSES = 10,
};

static const uint64_t DISK = 64 << 20;

static uint8_t opcode;
static uint64_t size;
static long depth, pairs, operations;
static uint64_t places[PLACES];
static uint64_t next_place;
static uint64_t data_iova;
static struct nvme_queue queues[MOST_PAIRS];

/* The same places as in Java. */
static void choose_places(int random) {
  uint64_t count = DISK / size, state = 1;
  for (uint64_t i = 0; i < PLACES; i++) {
    state = state * 6364136223846793005 + 1442695040888963407;
    places[i] = (random ? (state >> 33) % count : i % count) * (size / BLOCK);
  }
}

/* A tag is the number of the buffer. */
static inline void put(struct nvme_queue *queue, uint64_t tag) {
  nvme_transfer(queue, opcode, NAMESPACE, places[next_place++ % PLACES], size / BLOCK,
                data_iova + tag * size, size, tag);
}

static inline void require_success(uint32_t status) {
  if (status != 0) {
    fprintf(stderr, "the disk answers with status 0x%x\n", status);
    exit(1);
  }
}

static void ended(void *context, uint64_t tag, uint32_t status) {
  (void)tag;
  require_success(status);
  ++*(long *)context;
}

static int64_t clock_cost(void) {
  int64_t least = INT64_MAX;
  for (int i = 0; i < CLOCK_READINGS; i++) {
    int64_t start = now(), nanos = now() - start;
    least = nanos < least ? nanos : least;
  }
  return least;
}

/* What the commands of all pairs cost, or -1 if not all had ended by when they were looked for. */
static int64_t batch(int64_t clock) {
  long count = 0;
  int64_t start = now();
  for (long pair = 0; pair < pairs; pair++) {
    for (long i = 0; i < depth; i++) {
      put(&queues[pair], pair * depth + i);
    }
    nvme_submit(&queues[pair]);
  }
  int64_t nanos = now() - start;
  nanosleep(&(struct timespec){.tv_nsec = PAUSE_NANOS}, NULL);
  start = now();
  for (long pair = 0; pair < pairs; pair++) {
    nvme_poll(&queues[pair], ended, &count);
  }
  nanos += now() - start;
  int whole = count == pairs * depth;
  while (count < pairs * depth) {
    for (long pair = 0; pair < pairs; pair++) {
      nvme_poll(&queues[pair], ended, &count);
    }
  }
  return whole ? nanos - 2 * clock : -1;
}

static double cpu(int64_t *samples) {
  long batches = operations / (depth * pairs);
  int64_t clock = clock_cost();
  for (long i = 0; i < batches; i++) {
    samples[i] = -1;
    for (int attempt = 0; samples[i] < 0; attempt++) {
      check(attempt == MOST_PAUSES ? -1 : 0, "the disk is too slow");
      samples[i] = batch(clock);
    }
  }
  sort(samples, batches);
  return (double)samples[batches / 2] / (depth * pairs);
}

static double latency(int64_t *samples) {
  for (long i = 0; i < operations; i++) {
    long count = 0;
    int64_t start = now();
    put(&queues[0], 0);
    nvme_submit(&queues[0]);
    while (nvme_poll(&queues[0], ended, &count) == 0) {
      __builtin_ia32_pause();
    }
    samples[i] = now() - start;
  }
  sort(samples, operations);
  return samples[operations / 2];
}

/* How far one pair is. */
struct progress {
  struct nvme_queue *queue;
  long started;
  long ended;
};

static void put_next(void *context, uint64_t tag, uint32_t status) {
  struct progress *progress = context;
  require_success(status);
  progress->ended++;
  if (progress->started < operations / pairs) {
    progress->started++;
    put(progress->queue, tag);
  }
}

static double rate(void) {
  struct progress progress[MOST_PAIRS];
  int64_t start = now();
  for (long pair = 0; pair < pairs; pair++) {
    progress[pair] = (struct progress){&queues[pair], depth, 0};
    for (long i = 0; i < depth; i++) {
      put(&queues[pair], pair * depth + i);
    }
    nvme_submit(&queues[pair]);
  }
  for (long busy = pairs; busy > 0;) {
    busy = 0;
    for (long pair = 0; pair < pairs; pair++) {
      if (nvme_poll(&queues[pair], put_next, &progress[pair]) > 0) {
        nvme_submit(&queues[pair]);
      }
      busy += progress[pair].ended < operations / pairs;
    }
  }
  return (double)(now() - start) / operations;
}

int main(int count, char **arguments) {
  if (count != 8) {
    fprintf(stderr, "usage: nvme cpu|latency|rate read|write random|sequential SIZE DEPTH PAIRS "
                    "OPERATIONS\n");
    return 2;
  }
  const char *what = arguments[1];
  opcode = strcmp(arguments[2], "write") == 0 ? NVME_WRITE : NVME_READ;
  size = strtoull(arguments[4], NULL, 0);
  depth = strtol(arguments[5], NULL, 0);
  pairs = strtol(arguments[6], NULL, 0);
  operations = strtol(arguments[7], NULL, 0);
  choose_places(strcmp(arguments[3], "random") == 0);

  nvme_start(DEVICE);
  data_iova = nvme_allocate(size * depth * pairs).iova;
  for (long pair = 0; pair < pairs; pair++) {
    nvme_make_queue(&queues[pair], pair + 1, depth);
  }
  int64_t *samples = calloc(operations, sizeof *samples);
  double figure = 0;
  for (int warm = 0; warm < 2; warm++) {
    if (strcmp(what, "cpu") == 0) {
      figure = cpu(samples);
    } else if (strcmp(what, "latency") == 0) {
      figure = latency(samples);
    } else {
      figure = rate();
    }
  }
  printf("%f\n", figure);
  if (strcmp(what, "latency") == 0) {
    for (long i = 0; i < operations; i++) {
      printf("%ld\n", (long)samples[i]);
    }
  }
}
