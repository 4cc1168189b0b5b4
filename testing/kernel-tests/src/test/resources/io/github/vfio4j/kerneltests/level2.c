/* The only program of a level-2 guest: drives each edu device that it finds, and says so on the console. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
#define DEVICE_MEMORY 0x40000

static char path[512];

static const char *of(const char *device, const char *file) {
  snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/%s", device, file);
  return path;
}

static unsigned number(const char *device, const char *file) {
  unsigned value = 0;
  FILE *opened = fopen(of(device, file), "r");
  if (opened) {
    if (fscanf(opened, "%x", &value) != 1) value = 0;
    fclose(opened);
  }
  return value;
}

static uint64_t physical(void *address) {
  uint64_t entry = 0;
  int pagemap = open("/proc/self/pagemap", O_RDONLY);
  if (pread(pagemap, &entry, 8, (uintptr_t)address / PAGE * 8) != 8) entry = 0;
  close(pagemap);
  return (entry & ((1ull << 55) - 1)) * PAGE;
}

static void dma(volatile uint8_t *bar, uint64_t from, uint64_t to, int command) {
  *(volatile uint64_t *)(bar + 0x80) = from;
  *(volatile uint64_t *)(bar + 0x88) = to;
  *(volatile uint64_t *)(bar + 0x90) = PAGE;
  *(volatile uint64_t *)(bar + 0x98) = command;
  while (*(volatile uint64_t *)(bar + 0x98) & 1) usleep(1000);
}

static void drive(const char *device) {
  uint16_t control = 0;
  int enable = open(of(device, "enable"), O_WRONLY);
  if (write(enable, "1", 1) != 1) printf("level 2: cannot enable %s\n", device);
  close(enable);
  int config = open(of(device, "config"), O_RDWR);
  if (pread(config, &control, 2, 4) != 2) return;
  control |= 6;
  if (pwrite(config, &control, 2, 4) != 2) return;
  close(config);
  int resource = open(of(device, "resource0"), O_RDWR);
  volatile uint8_t *bar = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, resource, 0);
  if (bar == MAP_FAILED) {
    printf("level 2: cannot map %s\n", device);
    return;
  }
  uint8_t *memory = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < PAGE; i++) memory[i] = i * 7 + (i >> 8);
  memset(memory + PAGE, 0, PAGE);
  mlock(memory, 2 * PAGE);
  dma(bar, physical(memory), DEVICE_MEMORY, 1);
  dma(bar, DEVICE_MEMORY, physical(memory + PAGE), 3);
  printf("level 2: edu %s says 0x%08x, its DMA is %s\n", device, *(volatile uint32_t *)bar,
         memcmp(memory, memory + PAGE, PAGE) ? "wrong" : "right");
}

int main(void) {
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mount("proc", "/proc", "proc", 0, 0);
  mount("sysfs", "/sys", "sysfs", 0, 0);
  DIR *devices = opendir("/sys/bus/pci/devices");
  struct dirent *each;
  while (devices && (each = readdir(devices)))
    if (number(each->d_name, "vendor") == 0x1234 && number(each->d_name, "device") == 0x11e8)
      drive(each->d_name);
  printf("level 2: done\n");
  fflush(stdout);
  reboot(RB_AUTOBOOT);
  return 0;
}
