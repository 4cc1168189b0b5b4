/** A virtual machine monitor: {@link io.github.vfio4j.vmm.VirtualMachine} is the way in. */
package io.github.vfio4j.vmm;
