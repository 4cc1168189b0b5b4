#include "floor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

long check(long answer, const char *what) {
  if (answer < 0) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
  }
  return answer;
}

int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void *sleep_for_ever(void *unused) {
  pause();
  return unused;
}

void start_idle_thread(void) {
  pthread_t thread;
  check(-pthread_create(&thread, NULL, sleep_for_ever, NULL), "pthread_create");
}

int open_iommufd(void) { return check(open("/dev/iommu", O_RDWR | O_CLOEXEC), "/dev/iommu"); }

int open_cdev(const char *address, int iommufd, uint32_t *ioas) {
  char path[512];
  snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/vfio-dev", address);
  DIR *nodes = opendir(path);
  check(nodes ? 0 : -1, path);
  struct dirent *node;
  do {
    node = readdir(nodes);
    check(node ? 0 : -1, path);
  } while (node->d_name[0] == '.');
  snprintf(path, sizeof path, "/dev/vfio/devices/%s", node->d_name);
  closedir(nodes);

  int device = check(open(path, O_RDWR | O_CLOEXEC), path);
  struct vfio_device_bind_iommufd bind = {.argsz = sizeof bind, .iommufd = iommufd};
  check(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind), "VFIO_DEVICE_BIND_IOMMUFD");
  struct iommu_ioas_alloc alloc = {.size = sizeof alloc};
  check(ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc), "IOMMU_IOAS_ALLOC");
  *ioas = alloc.out_ioas_id;
  struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof attach, .pt_id = *ioas};
  check(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
  return device;
}

int open_grouped(const char *address, int *container) {
  char path[512], link[512];
  snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/iommu_group", address);
  link[check(readlink(path, link, sizeof link - 1), path)] = 0;
  snprintf(path, sizeof path, "/dev/vfio%s", strrchr(link, '/'));

  *container = check(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), "/dev/vfio/vfio");
  int group = check(open(path, O_RDWR | O_CLOEXEC), path);
  check(ioctl(group, VFIO_GROUP_SET_CONTAINER, container), "VFIO_GROUP_SET_CONTAINER");
  check(ioctl(*container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "VFIO_SET_IOMMU");
  return check(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address), "VFIO_GROUP_GET_DEVICE_FD");
}

volatile void *map_region(int device, uint32_t index) {
  struct vfio_region_info region = {.argsz = sizeof region, .index = index};
  check(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region), "VFIO_DEVICE_GET_REGION_INFO");
  void *mapping =
      mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, region.offset);
  check(mapping == MAP_FAILED ? -1 : 0, "mmap");
  return mapping;
}

void set_bus_master(int device) {
  struct vfio_region_info config = {.argsz = sizeof config, .index = VFIO_PCI_CONFIG_REGION_INDEX};
  check(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config), "VFIO_DEVICE_GET_REGION_INFO");
  uint16_t command;
  check(pread(device, &command, sizeof command, config.offset + 4), "pread");
  command |= 4;
  check(pwrite(device, &command, sizeof command, config.offset + 4), "pwrite");
}

void *map_huge_pages(uint64_t size) {
  static const char path[] = "/dev/hugepages/floor";
  int file = check(open(path, O_CREAT | O_RDWR, 0600), path);
  check(unlink(path), path);
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  check(memory == MAP_FAILED ? -1 : 0, "mmap of huge pages");
  memset(memory, 1, size);
  return memory;
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

void sort(int64_t *numbers, long count) { qsort(numbers, count, sizeof *numbers, by_size); }
