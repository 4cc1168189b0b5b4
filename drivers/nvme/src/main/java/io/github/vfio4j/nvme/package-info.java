/**
 * A driver for NVMe controllers, written to {@link io.github.vfio4j.VfioDevice} alone.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.nvme.NvmeController} starts a controller, and asks it what it is;
 *   <li>{@link io.github.vfio4j.nvme.Namespace}: the blocks that it keeps;
 *   <li>{@link io.github.vfio4j.nvme.QueuePair}: reading and writing them, by one thread each,
 *       without a lock or an allocation.
 * </ul>
 */
package io.github.vfio4j.nvme;
