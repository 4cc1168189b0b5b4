/* mmio read|write 32|64 OPERATIONS: prints the nanoseconds that one access to a mapped region takes. */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACCESSES_PER_TURN = 8 };

static const char DEVICE[] = "0000:00:09.0";
static const uint32_t REGION = 2;

static uint32_t read32(volatile uint32_t *registers, long turns) {
  uint32_t sum = 0;
  while (turns-- > 0) {
    sum += registers[0];
    sum += registers[1];
    sum += registers[2];
    sum += registers[3];
    sum += registers[4];
    sum += registers[5];
    sum += registers[6];
    sum += registers[7];
  }
  return sum;
}

static uint64_t read64(volatile uint64_t *registers, long turns) {
  uint64_t sum = 0;
  while (turns-- > 0) {
    sum += registers[0];
    sum += registers[1];
    sum += registers[2];
    sum += registers[3];
    sum += registers[4];
    sum += registers[5];
    sum += registers[6];
    sum += registers[7];
  }
  return sum;
}

static void write32(volatile uint32_t *registers, long turns) {
  while (turns-- > 0) {
    registers[0] = turns;
    registers[1] = turns;
    registers[2] = turns;
    registers[3] = turns;
    registers[4] = turns;
    registers[5] = turns;
    registers[6] = turns;
    registers[7] = turns;
  }
}

static void write64(volatile uint64_t *registers, long turns) {
  while (turns-- > 0) {
    registers[0] = turns;
    registers[1] = turns;
    registers[2] = turns;
    registers[3] = turns;
    registers[4] = turns;
    registers[5] = turns;
    registers[6] = turns;
    registers[7] = turns;
  }
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: mmio read|write 32|64 OPERATIONS\n");
    return 2;
  }
  int reads = strcmp(arguments[1], "read") == 0;
  int wide = strcmp(arguments[2], "64") == 0;
  long turns = strtol(arguments[3], NULL, 0) / ACCESSES_PER_TURN;

  uint32_t ioas;
  int device = open_cdev(DEVICE, open_iommufd(), &ioas);
  volatile void *registers = map_region(device, REGION);
  int64_t start = 0;
  volatile uint64_t sink;
  for (int warm = 0; warm < 2; warm++) {
    start = now();
    if (reads) {
      sink = wide ? read64(registers, turns) : read32(registers, turns);
    } else if (wide) {
      write64(registers, turns);
    } else {
      write32(registers, turns);
    }
  }
  printf("%f\n", (double)(now() - start) / (turns * ACCESSES_PER_TURN));
  (void)sink;
}
