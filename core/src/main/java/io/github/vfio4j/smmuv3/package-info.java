/**
 * What a guest of Arm's SMMUv3 writes and reads: its page tables, context descriptors and
 * invalidation commands, and the events that its faults become.
 *
 * <p>It is for whoever plays the guest: a virtual machine monitor that starts one, a program that
 * nests address spaces of its own, a test. Everything here is plain memory and numbers; what the
 * kernel does with them is in {@link io.github.vfio4j.iommufd.Viommu}. Bits are where the
 * architecture specification of the SMMU, version 3, has them.
 */
package io.github.vfio4j.smmuv3;
