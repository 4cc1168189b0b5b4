/*
 * The only program of a guest of our own monitor: does what its command line orders, "order=" and words with commas
 * between them, says what it sees, and ends as the last word says.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/vfio.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define PAGE 4096
#define FUNCTIONS "/sys/bus/pci/devices"

static void put(const char *path, const char *text) {
  int file = open(path, O_WRONLY);
  if (file < 0 || write(file, text, strlen(text)) < 0) printf("guest: cannot write %s\n", path);
  close(file);
}

static const char *get(const char *path) {
  static char text[256];
  int file = open(path, O_RDONLY);
  ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
  close(file);
  if (size < 0) return "";
  text[size] = 0;
  return text;
}

/* Finds the nth function with these numbers, 0x and the vendor's and the device's. */
static const char *find(const char *vendor, const char *device) {
  static char name[256], path[512];
  DIR *functions = opendir(FUNCTIONS);
  struct dirent *each;
  while ((each = readdir(functions))) {
    snprintf(path, sizeof path, FUNCTIONS "/%s/vendor", each->d_name);
    if (strncmp(get(path), vendor, 6)) continue;
    snprintf(path, sizeof path, FUNCTIONS "/%s/device", each->d_name);
    if (strncmp(get(path), device, 6)) continue;
    snprintf(name, sizeof name, "%s", each->d_name);
    closedir(functions);
    return name;
  }
  closedir(functions);
  return 0;
}

static void machine(void) {
  char line[256];
  struct sysinfo info;
  sysinfo(&info);
  unsigned long mebibytes = info.totalram * info.mem_unit >> 20;
  printf("guest: %ld processors, %s 96 and 128 MiB\n", sysconf(_SC_NPROCESSORS_ONLN),
         mebibytes >= 96 && mebibytes <= 128 ? "between" : "not between");
  DIR *functions = opendir(FUNCTIONS);
  struct dirent *each;
  while (functions && (each = readdir(functions)))
    if (each->d_name[0] != '.') printf("guest: function %s\n", each->d_name);
  printf("guest: nodes of devices %s", get("/sys/devices/system/node/has_generic_initiator"));
  FILE *file = fopen("/proc/iomem", "r");
  while (file && fgets(line, sizeof line, file))
    if (strstr(line, "PCI Bus") || strstr(line, "ECAM")) printf("guest: %s", line);
}

/* Says where Linux has the BARs of all functions. */
static void bars(void) {
  char path[512], line[256];
  DIR *functions = opendir(FUNCTIONS);
  struct dirent *each;
  while (functions && (each = readdir(functions))) {
    snprintf(path, sizeof path, FUNCTIONS "/%s/resource", each->d_name);
    FILE *file = each->d_name[0] == '.' ? 0 : fopen(path, "r");
    unsigned long long first, last, flags;
    for (int bar = 0; file && bar < 6 && fgets(line, sizeof line, file); bar++)
      if (sscanf(line, "%llx %llx %llx", &first, &last, &flags) == 3 && flags)
        printf("guest: %s has %s at 0x%llx, BAR %d of 0x%llx bytes\n", each->d_name,
               flags & 0x100 ? "ports" : flags & 0x100000 ? "memory by 64 bits" : "memory by 32 bits", first, bar,
               last - first + 1);
    if (file) fclose(file);
  }
  closedir(functions);
}

static void echo(void) {
  char line[256];
  printf("guest: says something\n");
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) exit(1);
  printf("guest: heard %s", line);
}

static void wait_for_line(void) {
  char line[64];
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) exit(1);
}

/* A device that this guest's own VFIO drives, without an IOMMU. */
struct device {
  int container, group, file;
  volatile uint32_t *registers;
  size_t size;
  uint64_t config;
};

static int assign(struct device *device, const char *name) {
  char path[512], link[512];
  put("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "1");
  ssize_t size = -1;
  for (int i = 0; i < 200 && size < 0; i++) { /* one that has just come is not matched with drivers at once */
    if (i) usleep(10000);
    snprintf(path, sizeof path, FUNCTIONS "/%s/driver_override", name);
    put(path, "vfio-pci");
    put("/sys/bus/pci/drivers_probe", name);
    snprintf(path, sizeof path, FUNCTIONS "/%s/iommu_group", name);
    size = readlink(path, link, sizeof link - 1);
  }
  if (size < 0) return 0;
  link[size] = 0;
  snprintf(path, sizeof path, "/dev/vfio/noiommu-%s", strrchr(link, '/') + 1);
  device->container = open("/dev/vfio/vfio", O_RDWR), device->group = open(path, O_RDWR);
  if (ioctl(device->group, VFIO_GROUP_SET_CONTAINER, &device->container) ||
      ioctl(device->container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU))
    return 0;
  device->file = ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, name);
  struct vfio_region_info config = {.argsz = sizeof config, .index = VFIO_PCI_CONFIG_REGION_INDEX};
  struct vfio_region_info bar = {.argsz = sizeof bar, .index = VFIO_PCI_BAR0_REGION_INDEX};
  if (device->file < 0 || ioctl(device->file, VFIO_DEVICE_GET_REGION_INFO, &config) ||
      ioctl(device->file, VFIO_DEVICE_GET_REGION_INFO, &bar))
    return 0;
  device->config = config.offset;
  uint16_t command = 6; /* memory, and bus master */
  if (pwrite(device->file, &command, 2, config.offset + 4) != 2) return 0;
  device->size = bar.size;
  device->registers = mmap(0, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device->file, bar.offset);
  return device->registers != MAP_FAILED;
}

static int interrupt(struct device *device, int index, int event) {
  char space[sizeof(struct vfio_irq_set) + sizeof event];
  struct vfio_irq_set *set = (void *)space;
  *set = (struct vfio_irq_set){.argsz = sizeof space, .index = index, .count = 1,
                               .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER};
  memcpy(set->data, &event, sizeof event);
  return ioctl(device->file, VFIO_DEVICE_SET_IRQS, set);
}

static void unmask(struct device *device) {
  struct vfio_irq_set set = {.argsz = sizeof set, .index = VFIO_PCI_INTX_IRQ_INDEX, .count = 1,
                             .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK};
  ioctl(device->file, VFIO_DEVICE_SET_IRQS, &set);
}

static void disable(struct device *device, int index) {
  struct vfio_irq_set set = {.argsz = sizeof set, .index = index,
                             .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER};
  ioctl(device->file, VFIO_DEVICE_SET_IRQS, &set);
}

static long arrived(int event) {
  uint64_t count = 0;
  struct pollfd poll_for = {.fd = event, .events = POLLIN};
  return poll(&poll_for, 1, 10000) == 1 && read(event, &count, sizeof count) == sizeof count ? (long)count : -1;
}

static uint64_t physical(void *page) {
  uint64_t entry = 0;
  int file = open("/proc/self/pagemap", O_RDONLY);
  if (pread(file, &entry, sizeof entry, (uintptr_t)page / PAGE * 8) != sizeof entry) return 0;
  close(file);
  return (entry & ((1ull << 55) - 1)) * PAGE;
}

static void dma(struct device *device, uint64_t from, uint64_t to, uint64_t count, uint64_t command) {
  volatile uint64_t *registers = (volatile uint64_t *)device->registers;
  registers[0x80 / 8] = from;
  registers[0x88 / 8] = to;
  registers[0x90 / 8] = count;
  registers[0x98 / 8] = command;
  for (int i = 0; registers[0x98 / 8] & 1; i++, usleep(1000))
    if (i == 5000) {
      printf("guest: edu does not end its DMA from %llx to %llx\n", (unsigned long long)from, (unsigned long long)to);
      return;
    }
}

static void release(struct device *device) {
  munmap((void *)device->registers, device->size);
  close(device->file);
  close(device->group);
  close(device->container);
}

static char *page(void) {
  return mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
}

/* QEMU's educational device: computes, interrupts by a message and by its line, and copies. */
static void edu(void) {
  struct device device;
  const char *name = find("0x1234", "0x11e8");
  if (!name || !assign(&device, name)) {
    printf("guest: edu is not there\n");
    return;
  }
  device.registers[0x08 / 4] = 10;
  while (device.registers[0x20 / 4] & 1) usleep(1000);
  printf("guest: edu computes %u\n", device.registers[0x08 / 4]);

  int event = eventfd(0, 0);
  if (interrupt(&device, VFIO_PCI_MSI_IRQ_INDEX, event)) printf("guest: edu has no message\n");
  for (uint32_t i = 1; i <= 3; i++) {
    device.registers[0x60 / 4] = i;
    printf("guest: edu's message %ld, status %u\n", arrived(event), device.registers[0x24 / 4]);
    device.registers[0x64 / 4] = i;
  }
  disable(&device, VFIO_PCI_MSI_IRQ_INDEX);

  char *out = page(), *in = page();
  for (int i = 0; i < PAGE; i++) out[i] = (char)(i * 7 + 3), in[i] = 0;
  dma(&device, physical(out), 0x40000, PAGE, 1);
  dma(&device, 0x40000, physical(in), PAGE, 3);
  printf("guest: edu copies %s\n", memcmp(in, out, PAGE) ? "something else" : "all");

  uint8_t pin = 0;
  if (pread(device.file, &pin, 1, device.config + 0x3d) != 1 || !pin) {
    printf("guest: edu has no line\n");
  } else if (interrupt(&device, VFIO_PCI_INTX_IRQ_INDEX, event)) {
    printf("guest: edu's line is refused\n");
  } else {
    for (uint32_t i = 1; i <= 3; i++) {
      device.registers[0x60 / 4] = i;
      printf("guest: edu's line %ld, status %u\n", arrived(event), device.registers[0x24 / 4]);
      device.registers[0x64 / 4] = i;
      unmask(&device);
    }
    disable(&device, VFIO_PCI_INTX_IRQ_INDEX);
  }
  munmap(out, PAGE);
  munmap(in, PAGE);
  close(event);
  release(&device);
}

/* Writes a page when a line is typed, and has the educational device write another when the next one is, if it can. */
static void dirty(void) {
  struct device device;
  char *first = page(), *second = page(), *third = page();
  const char *name = find("0x1234", "0x11e8");
  int with_edu = name && assign(&device, name);
  first[0] = second[0] = third[0] = 1;
  printf("guest: pages %llx %llx %llx\n", (unsigned long long)physical(first), (unsigned long long)physical(second),
         (unsigned long long)physical(third));
  wait_for_line();
  first[0] = 2;
  printf("guest: has written the first\n");
  wait_for_line();
  if (with_edu) {
    dma(&device, physical(first), 0x40000, PAGE, 1);
    dma(&device, 0x40000, physical(second), PAGE, 3);
  }
  printf("guest: edu %s\n", with_edu && second[0] == 2 ? "has written the second" : "is not there");
  wait_for_line();
  if (with_edu) release(&device);
}

/* Has the educational device copy to the memory of another one, and from it. */
static void peer(void) {
  struct device device;
  char path[512];
  unsigned long long shared[3] = {0}, start = 0;
  const char *name = find("0x1234", "0x11e8");
  if (!name || !assign(&device, name) || !(name = find("0x1af4", "0x1110"))) exit(1);
  snprintf(path, sizeof path, FUNCTIONS "/%s/enable", name);
  put(path, "1");
  snprintf(path, sizeof path, FUNCTIONS "/%s/resource", name);
  const char *line = get(path);
  for (int i = 0; i < 3; i++, line = strchr(line, '\n') + 1) sscanf(line, "%llx", &shared[i]);
  start = shared[2];
  snprintf(path, sizeof path, FUNCTIONS "/%s/resource2", name);
  int file = open(path, O_RDWR | O_SYNC);
  char *theirs = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), *ours = page();
  for (int i = 0; i < PAGE; i++) theirs[i] = (char)(i * 5 + 1);
  dma(&device, start, 0x40000, PAGE, 1);
  dma(&device, 0x40000, physical(ours), PAGE, 3);
  printf("guest: edu reads %s of its peer\n", memcmp(ours, theirs, PAGE) ? "something else" : "all");
  for (int i = 0; i < PAGE; i++) ours[i] = (char)(i * 3 + 2);
  dma(&device, physical(ours), 0x40000, PAGE, 1);
  dma(&device, 0x40000, start + PAGE, PAGE, 3);
  printf("guest: edu writes %s of its peer\n", memcmp(ours, theirs + PAGE, PAGE) ? "something else" : "all");
  close(file);
  release(&device);
}

/* Asks on a network who has an address, and says how often its cards have interrupted. */
static void net(const char *interface) {
  struct ifreq request = {0};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
  int probe = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ARP)), up = 0;
  if (ioctl(probe, SIOCGIFHWADDR, &request)) {
    printf("guest: there is no %s\n", interface);
    return;
  }
  struct __attribute__((packed)) {
    struct ethhdr header;
    uint16_t hardware, protocol;
    uint8_t hardware_size, protocol_size;
    uint16_t operation;
    uint8_t sender[6], sender_address[4], target[6], target_address[4];
  } arp = {.header.h_proto = htons(ETH_P_ARP), .hardware = htons(1), .protocol = htons(ETH_P_IP), .hardware_size = 6,
           .protocol_size = 4, .operation = htons(1), .sender_address = {10, 0, 2, 15}, .target_address = {10, 0, 2, 2}},
    answer;
  memset(arp.header.h_dest, 0xff, 6);
  memcpy(arp.header.h_source, request.ifr_hwaddr.sa_data, 6);
  memcpy(arp.sender, request.ifr_hwaddr.sa_data, 6);
  request.ifr_flags = IFF_UP;
  ioctl(probe, SIOCSIFFLAGS, &request);
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
  for (int i = 0; i < 100 && !up; i++, usleep(100000))
    up = !ioctl(probe, SIOCGIFFLAGS, &request) && (request.ifr_flags & IFF_RUNNING);
  ioctl(probe, SIOCGIFINDEX, &request);
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = request.ifr_ifindex};
  bind(probe, (void *)&address, sizeof address);
  int answered = 0;
  for (int i = 0; i < 10 && !answered; i++) {
    if (send(probe, &arp, sizeof arp, 0) != sizeof arp) printf("guest: %s does not send\n", interface);
    struct pollfd poll_for = {.fd = probe, .events = POLLIN};
    while (!answered && poll(&poll_for, 1, 1000) == 1 && recv(probe, &answer, sizeof answer, 0) > 0)
      answered = answer.operation == htons(2) && !memcmp(answer.sender_address, arp.target_address, 4);
  }
  close(probe);
  long interrupts = 0;
  char line[512];
  FILE *file = fopen("/proc/interrupts", "r");
  while (file && fgets(line, sizeof line, file))
    if (strstr(line, interface) && strchr(line, ':')) interrupts += atol(strchr(line, ':') + 1);
  fclose(file);
  printf("guest: %s is %s, %s, with %s interrupts\n", interface, up ? "up" : "down", answered ? "answered" : "unheard",
         interrupts ? "some" : "no");
}

/* Opens the first namespace, which is not always the first that Linux finds. */
static int open_disk(void) {
  char path[512];
  for (int i = 0; i < 300; i++, usleep(100000)) {
    DIR *disks = opendir("/sys/block");
    struct dirent *each;
    int file = -1;
    while (disks && file < 0 && (each = readdir(disks))) {
      snprintf(path, sizeof path, "/sys/block/%s/nsid", each->d_name);
      if (atoi(get(path)) != 1) continue;
      snprintf(path, sizeof path, "/dev/%s", each->d_name);
      file = open(path, O_RDWR | O_DIRECT);
    }
    closedir(disks);
    if (file >= 0) return file;
  }
  return -1;
}

/* Reads the first page of a disk, and writes its bits turned over into the second. */
static void disk(void) {
  static _Alignas(PAGE) unsigned char block[PAGE];
  int file = open_disk();
  if (pread(file, block, PAGE, 0) != PAGE) {
    printf("guest: disk cannot be read\n");
    return;
  }
  block[PAGE - 1] = 0;
  printf("guest: disk says %.60s\n", (char *)block);
  for (int i = 0; i < PAGE; i++) block[i] = ~block[i];
  printf("guest: disk %s\n",
         pwrite(file, block, PAGE, PAGE) == PAGE && !fsync(file) ? "is written" : "cannot be written");
  close(file);
}

static int functions(void) {
  int count = 0;
  DIR *functions = opendir(FUNCTIONS);
  struct dirent *each;
  while (functions && (each = readdir(functions))) count += each->d_name[0] != '.';
  closedir(functions);
  return count;
}

/* Has the disk write and read pages that came while this ran. */
static void high(void) {
  enum { PAGES = 24 * 1024 };
  char *pages = mmap(0, PAGES * (size_t)PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  int file = open_disk(), count = 0;
  for (int i = 0; pages != MAP_FAILED && i < PAGES && count < 8; i++) {
    char *page = pages + i * (size_t)PAGE, copy[PAGE];
    if (physical(page) < 1ull << 32) continue;
    for (int j = 0; j < PAGE; j++) page[j] = copy[j] = (char)(j * 3 + count);
    if (pwrite(file, page, PAGE, 16 * PAGE) != PAGE) break;
    memset(page, 0, PAGE);
    if (pread(file, page, PAGE, 16 * PAGE) != PAGE || memcmp(page, copy, PAGE)) break;
    count++;
  }
  close(file);
  munmap(pages, PAGES * (size_t)PAGE);
  printf("guest: disk %s memory above 4 GiB\n", count == 8 ? "wrote and read" : "has not reached");
}

/* Waits for a line with a number, and until there is as much of something. */
static void wait_for(int (*now)(void), const char *what) {
  char line[64];
  printf("guest: waits for %s\n", what);
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) exit(1);
  int wanted = atoi(line), count = -1;
  for (int i = 0; i < 600 && (count = now()) != wanted; i++) usleep(50000);
  printf("guest: has %d %s\n", count, what);
}

/* Memory that comes is put to use for what can be moved, so that it can be taken away again. */
static int mebibytes(void) {
  char line[256], path[512];
  long kibibytes = 0;
  DIR *blocks = opendir("/sys/devices/system/memory");
  struct dirent *each;
  while (blocks && (each = readdir(blocks))) {
    snprintf(path, sizeof path, "/sys/devices/system/memory/%s/state", each->d_name);
    if (!strncmp(get(path), "offline", 7)) put(path, "online_movable");
  }
  closedir(blocks);
  FILE *file = fopen("/proc/meminfo", "r");
  while (file && fgets(line, sizeof line, file)) sscanf(line, "MemTotal: %ld", &kibibytes);
  fclose(file);
  return (int)((kibibytes + 64 * 1024) / (128 * 1024) * 128);
}

/* Moves the memory of QEMU's educational device as a driver of its bus may, and computes there. */
static void move(void) {
  const char *name = find("0x1234", "0x11e8");
  char path[512];
  uint32_t bar;
  uint16_t command, off = 0;
  snprintf(path, sizeof path, FUNCTIONS "/%s/config", name);
  int config = open(path, O_RDWR), memory = open("/dev/mem", O_RDWR | O_SYNC);
  if (pread(config, &command, 2, 4) != 2 || pread(config, &bar, 4, 0x10) != 4) exit(1);
  uint32_t places[] = {0xd8000000, 0xd0000000, bar};
  for (int i = 0; i < 3; i++) {
    uint16_t on = command | 2;
    if (pwrite(config, &off, 2, 4) != 2 || pwrite(config, &places[i], 4, 0x10) != 4 || pwrite(config, &on, 2, 4) != 2)
      exit(1);
    volatile uint32_t *registers = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, places[i]);
    volatile uint32_t *before = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, places[(i + 2) % 3]);
    registers[0x08 / 4] = 5 + i;
    while (registers[0x20 / 4] & 1) usleep(1000);
    printf("guest: edu computes %u in place %d, and %x is before\n", registers[0x08 / 4], i, before[0]);
  }
  close(config);
  close(memory);
}

int main(void) {
  char line[4096];
  mkdir("/proc", 0755);
  mkdir("/sys", 0755);
  mount("proc", "/proc", "proc", 0, 0);
  mount("sysfs", "/sys", "sysfs", 0, 0);
  mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
  snprintf(line, sizeof line, "%s", get("/proc/cmdline"));
  char *orders = strstr(line, "order=");
  if (!orders) return 1;
  for (char *word = strtok(orders + strlen("order="), ", \n"); word; word = strtok(0, ", \n")) {
    if (!strcmp(word, "machine")) machine();
    if (!strcmp(word, "bars")) bars();
    if (!strcmp(word, "echo")) echo();
    if (!strcmp(word, "sleep")) sleep(100000);
    if (!strcmp(word, "edu")) edu();
    if (!strcmp(word, "disk")) disk();
    if (!strcmp(word, "high")) high();
    if (!strcmp(word, "peer")) peer();
    if (!strcmp(word, "dirty")) dirty();
    if (!strncmp(word, "eth", 3)) net(word);
    if (!strcmp(word, "move")) move();
    if (!strcmp(word, "functions")) wait_for(functions, "functions");
    if (!strcmp(word, "memory")) wait_for(mebibytes, "MiB");
    fflush(stdout);
    if (!strcmp(word, "off")) reboot(RB_POWER_OFF);
    if (!strcmp(word, "reset")) reboot(RB_AUTOBOOT);
  }
  return 0;
}
