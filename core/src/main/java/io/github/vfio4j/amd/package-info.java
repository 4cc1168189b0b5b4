/**
 * What is particular to AMD's IOMMU: what it can do ({@link io.github.vfio4j.amd.AmdHwInfo}), and a
 * guest's entry for a device ({@link io.github.vfio4j.amd.AmdGuestDeviceTableEntry}).
 */
package io.github.vfio4j.amd;
