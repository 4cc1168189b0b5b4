/* What the programs share that show how fast C is at what the library does. */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdint.h>

/* Ends the program with a message, unless the answer of a call is not negative. */
long check(long answer, const char *what);

/* Nanoseconds of a clock that never goes back; the clock of System.nanoTime(). */
int64_t now(void);

/*
 * Starts a thread that only sleeps. The kernel looks a file up by a shorter way in a process of one
 * thread, which neither a JVM nor a driver that waits for interrupts ever is.
 */
void start_idle_thread(void);

int open_iommufd(void);

/* Opens a PCI device through its own node, attached to a new IOAS, whose ID goes to *ioas. */
int open_cdev(const char *address, int iommufd, uint32_t *ioas);

/* Opens a PCI device through its group, in a new container, which goes to *container. */
int open_grouped(const char *address, int *container);

/* Maps a region of an open device whole. */
volatile void *map_region(int device, uint32_t index);

/* Lets a PCI device write to memory, and raise interrupts by that. */
void set_bus_master(int device);

/* Maps whole huge pages of 2 MiB that are a file's, and writes to them, as Java does it. */
void *map_huge_pages(uint64_t size);

/* Sorts numbers; the middle one is the median. */
void sort(int64_t *numbers, long count);

#endif
