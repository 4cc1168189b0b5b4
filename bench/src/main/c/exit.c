/* exit port|memory OPERATIONS: prints the nanoseconds that a guest's write to a port or to no memory takes. */
#include "floor.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum { PAGE = 4096, RESET_VECTOR = 0xff0, PORT = 0x80, RANGES = 16 };

/* What answers where: looked up as a monitor does that has some devices. */
static struct range {
  uint64_t first, size;
  void (*write)(uint64_t offset, uint64_t value);
} ranges[RANGES];

static volatile uint64_t written;

static void count(uint64_t offset, uint64_t value) { written += offset + value + 1; }

static void store(uint64_t address, uint64_t value) {
  int low = 0, high = RANGES - 1;
  while (low <= high) {
    int middle = (low + high) / 2;
    if (address < ranges[middle].first)
      high = middle - 1;
    else if (address - ranges[middle].first >= ranges[middle].size)
      low = middle + 1;
    else {
      ranges[middle].write(address - ranges[middle].first, value);
      return;
    }
  }
}

int main(int argc, char **arguments) {
  if (argc != 3) {
    fprintf(stderr, "usage: exit port|memory OPERATIONS\n");
    return 2;
  }
  int port = strcmp(arguments[1], "port") == 0;
  long operations = strtol(arguments[2], NULL, 0);
  for (int i = 0; i < RANGES; i++) ranges[i] = (struct range){.first = i * 0x40, .size = 0x40, .write = count};

  int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
  int machine = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  static const char to_port[] = {(char)0xe6, (char)PORT, (char)0xeb, (char)0xfc};        /* out; jmp back */
  static const char to_memory[] = {(char)0xa2, (char)PORT, 0, (char)0xeb, (char)0xfb};   /* mov; jmp back */
  memcpy(page + RESET_VECTOR, port ? to_port : to_memory, port ? sizeof to_port : sizeof to_memory);
  struct kvm_userspace_memory_region slot = {
      .guest_phys_addr = 0xfffff000, .memory_size = PAGE, .userspace_addr = (uintptr_t)page};
  check(ioctl(machine, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
  int processor = check(ioctl(machine, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  long size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, processor, 0);
  start_idle_thread();

  int64_t start = 0;
  for (int warm = 0; warm < 2; warm++) {
    start = now();
    for (long i = 0; i < operations; i++) {
      check(ioctl(processor, KVM_RUN, 0), "KVM_RUN");
      switch (run->exit_reason) {
        case KVM_EXIT_IO: store(run->io.port, *((uint8_t *)run + run->io.data_offset)); break;
        case KVM_EXIT_MMIO: store(run->mmio.phys_addr, run->mmio.data[0]); break;
        default: fprintf(stderr, "it stopped for reason %u\n", run->exit_reason); return 1;
      }
    }
  }
  printf("%f\n", (double)(now() - start) / operations);
}
