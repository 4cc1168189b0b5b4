/*
 * interrupt read|ppoll|epoll|guest OPERATIONS: prints the nanoseconds from just before the write that makes the device
 * raise its interrupt until a thread that waits for it runs: the median, then all of them.
 *
 * read: the thread waits in a read, without a limit. ppoll: it waits in ppoll, with a limit, and reads then: who
 * has to stop waiting after a while, or wait for several files, has to do that. epoll: it waits in epoll_wait, without
 * a limit, and reads then, as one does who has many files. guest: it runs a guest, which sleeps, and whose interrupt it
 * is (irqfd); the guest's handler writes to a port, which ends the thread's KVM_RUN.
 */
#define _GNU_SOURCE /* ppoll */

#include "floor.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static const char DEVICE[] = "0000:00:05.0";
static const uint32_t REGION = 0;
enum { RAISE = 0x60 / 4, ACKNOWLEDGE = 0x64 / 4 };
enum { MOST_AT_ONCE = 64 };

/* What the waiting thread needs to be asleep in the kernel before the next interrupt. */
static const int64_t PAUSE_NANOS = 50000;

enum waiting { READS, POLLS, EPOLLS, RUNS };

static enum waiting way;
static long operations;
static int event;
static atomic_long waiting;
static atomic_long arrivals;
static int64_t arrival;

static int watch(void) {
  int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  struct epoll_event watched = {.events = EPOLLIN, .data.fd = event};
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &watched), "epoll_ctl");
  return epoll;
}

/* Of the guest. */
enum { PAGE = 4096, RESET_VECTOR = 0xff0, START = 0x600, HANDLER = 0x700, GSI = 1, VECTOR = 0x20 + GSI };

static int processor;
static struct kvm_run *run;

static void run_guest(void) {
  check(ioctl(processor, KVM_RUN, 0), "KVM_RUN");
  check(run->exit_reason == KVM_EXIT_IO ? 0 : -1, "the guest's write to a port");
}

static unsigned char *give_page(int machine, int slot, uint64_t address) {
  unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check(page == MAP_FAILED ? -1 : 0, "mmap");
  struct kvm_userspace_memory_region region = {
      .slot = slot, .guest_phys_addr = address, .memory_size = PAGE, .userspace_addr = (uintptr_t)page};
  check(ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
  return page;
}

/* The guest of InterruptedGuest.java. */
static void make_guest(void) {
  static const unsigned char entry[] = {0xea, 0, START >> 8, 0, 0};
  static const unsigned char program[] = {
      0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21,
      0xb0, 0x00, 0xe6, 0x21, 0xbc, 0x00, 0x10, 0xe6, 0x80, 0xfb, 0xf4, 0xeb, 0xfd,
  };
  static const unsigned char handler[] = {0xe6, 0x80, 0xb0, 0x20, 0xe6, 0x20, 0xcf};
  int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
  int machine = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  check(ioctl(machine, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
  memcpy(give_page(machine, 0, 0xfffff000) + RESET_VECTOR, entry, sizeof entry);
  unsigned char *first = give_page(machine, 1, 0);
  first[VECTOR * 4 + 1] = HANDLER >> 8;
  memcpy(first + START, program, sizeof program);
  memcpy(first + HANDLER, handler, sizeof handler);
  processor = check(ioctl(machine, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  long size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, processor, 0);
  check(run == MAP_FAILED ? -1 : 0, "mmap of a processor");
  run_guest();
  struct kvm_irqfd irqfd = {.fd = event, .gsi = GSI};
  check(ioctl(machine, KVM_IRQFD, &irqfd), "KVM_IRQFD");
}

static void *wait_for_all(void *unused) {
  struct sched_param priority = {.sched_priority = 1};
  check(sched_setscheduler(0, SCHED_FIFO, &priority), "sched_setscheduler");
  int epoll = way == EPOLLS ? watch() : -1;
  for (long i = 1; i <= operations; i++) {
    atomic_store(&waiting, i);
    int ready = event;
    if (way == POLLS) {
      struct pollfd file = {.fd = event, .events = POLLIN};
      struct timespec limit = {.tv_sec = 10};
      check(ppoll(&file, 1, &limit, NULL), "ppoll of the eventfd");
    } else if (way == EPOLLS) {
      struct epoll_event arrived[MOST_AT_ONCE];
      check(epoll_wait(epoll, arrived, MOST_AT_ONCE, -1), "epoll_wait");
      ready = arrived[0].data.fd;
    }
    if (way == RUNS) {
      run_guest();
    } else {
      uint64_t count;
      check(read(ready, &count, sizeof count), "read of the eventfd");
    }
    arrival = now();
    atomic_store(&arrivals, i);
  }
  return unused;
}

static void enable_msi(int device) {
  char buffer[sizeof(struct vfio_irq_set) + sizeof event];
  struct vfio_irq_set *set = (struct vfio_irq_set *)buffer;
  *set = (struct vfio_irq_set){
      .argsz = sizeof buffer,
      .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
      .index = VFIO_PCI_MSI_IRQ_INDEX,
      .count = 1,
  };
  memcpy(set->data, &event, sizeof event);
  check(ioctl(device, VFIO_DEVICE_SET_IRQS, set), "VFIO_DEVICE_SET_IRQS");
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: interrupt read|ppoll|epoll|guest OPERATIONS\n");
    return 2;
  }
  way = strcmp(arguments[1], "ppoll") == 0   ? POLLS
        : strcmp(arguments[1], "epoll") == 0 ? EPOLLS
        : strcmp(arguments[1], "guest") == 0 ? RUNS
                                             : READS;
  operations = strtol(arguments[2], NULL, 0);
  uint32_t ioas;
  int device = open_cdev(DEVICE, open_iommufd(), &ioas);
  volatile uint32_t *registers = map_region(device, REGION);
  event = check(eventfd(0, EFD_CLOEXEC | (way != READS ? EFD_NONBLOCK : 0)), "eventfd");
  enable_msi(device);
  set_bus_master(device);
  if (way == RUNS) make_guest();

  int64_t *nanos = calloc(operations, sizeof *nanos);
  pthread_t waiter;
  check(-pthread_create(&waiter, NULL, wait_for_all, NULL), "pthread_create");
  for (long i = 1; i <= operations; i++) {
    while (atomic_load(&waiting) < i) {
    }
    for (int64_t ready = now() + PAUSE_NANOS; now() < ready;) {
    }
    int64_t start = now();
    registers[RAISE] = 1;
    while (atomic_load(&arrivals) < i) {
    }
    nanos[i - 1] = arrival - start;
    registers[ACKNOWLEDGE] = 1;
  }
  pthread_join(waiter, NULL);
  sort(nanos, operations);
  printf("%f\n", (double)nanos[operations / 2]);
  for (long i = 0; i < operations; i++) {
    printf("%ld\n", (long)nanos[i]);
  }
}
