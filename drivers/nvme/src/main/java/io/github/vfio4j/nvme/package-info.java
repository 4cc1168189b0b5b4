/**
 * A driver for NVMe controllers, written to {@link io.github.vfio4j.VfioDevice} alone.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.nvme.NvmeController} starts a controller, and asks it what it is;
 *   <li>{@link io.github.vfio4j.nvme.Namespace}: the blocks that it keeps;
 *   <li>{@link io.github.vfio4j.nvme.QueuePair}: reading and writing them, by one thread each,
 *       without a lock or an allocation, and having them end whatever becomes of the controller;
 *   <li>{@link io.github.vfio4j.nvme.ZonedNamespace}, {@link io.github.vfio4j.nvme.Zones}: blocks
 *       that are written zone by zone;
 *   <li>{@link io.github.vfio4j.nvme.Features}, {@link io.github.vfio4j.nvme.LogPages}, {@link
 *       io.github.vfio4j.nvme.AsyncEvents}: what it is set to, remembers, and tells of its own
 *       accord;
 *   <li>{@link io.github.vfio4j.nvme.NamespaceAdministration}: formatting, making and deleting
 *       namespaces;
 *   <li>{@link io.github.vfio4j.nvme.NvmeCommand}: all else, by hand.
 * </ul>
 */
package io.github.vfio4j.nvme;
