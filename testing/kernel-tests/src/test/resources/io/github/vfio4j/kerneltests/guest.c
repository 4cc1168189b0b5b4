/* The only program of a guest of our own monitor: says what it sees, and ends as its command line orders. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

int main(void) {
  static char order[4096], line[256];
  struct sysinfo info;
  mkdir("/proc", 0755);
  mount("proc", "/proc", "proc", 0, 0);
  FILE *file = fopen("/proc/cmdline", "r");
  if (!file || !fgets(order, sizeof order, file)) return 1;
  sysinfo(&info);
  unsigned long mebibytes = info.totalram * info.mem_unit >> 20;
  printf("guest: %ld processors, %s 96 and 128 MiB\n", sysconf(_SC_NPROCESSORS_ONLN),
         mebibytes >= 96 && mebibytes <= 128 ? "between" : "not between");
  mkdir("/sys", 0755);
  mount("sysfs", "/sys", "sysfs", 0, 0);
  DIR *functions = opendir("/sys/bus/pci/devices");
  struct dirent *each;
  while (functions && (each = readdir(functions)))
    if (each->d_name[0] != '.') printf("guest: function %s\n", each->d_name);
  file = fopen("/proc/iomem", "r");
  while (file && fgets(line, sizeof line, file))
    if (strstr(line, "PCI Bus") || strstr(line, "ECAM")) printf("guest: %s", line);
  if (strstr(order, "order=echo")) {
    printf("guest: says something\n");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 1;
    printf("guest: heard %s", line);
    fflush(stdout);
    for (;;) sleep(1000);
  }
  fflush(stdout);
  reboot(strstr(order, "order=off") ? RB_POWER_OFF : RB_AUTOBOOT);
  return 0;
}
