/**
 * An NVMe controller as a model, in which faults can be set.
 *
 * <p>{@link io.github.vfio4j.model.nvme.NvmeModel} is the device, {@link
 * io.github.vfio4j.model.nvme.NvmeFaults} what it does wrong when it is told to.
 */
package io.github.vfio4j.model.nvme;
