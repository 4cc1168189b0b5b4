/* nvme-sgl: the same as nvme, with one descriptor that names the data of a command in place of a list of its pages. */
#define NVME_DESCRIPTORS
#include "nvme.c"
