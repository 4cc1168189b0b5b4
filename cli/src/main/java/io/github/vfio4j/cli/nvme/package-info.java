/**
 * The commands for NVMe disks that a VFIO driver has: what is there, and reading and writing it
 * with the driver of this project.
 */
package io.github.vfio4j.cli.nvme;
