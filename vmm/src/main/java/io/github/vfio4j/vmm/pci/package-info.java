/**
 * The PCI bus of a guest: {@link io.github.vfio4j.vmm.pci.PciHost} has it, {@link
 * io.github.vfio4j.vmm.pci.PciFunction} is what can be in a slot of it.
 */
package io.github.vfio4j.vmm.pci;
