/**
 * A device of this host as a function of a guest's bus: {@link
 * io.github.vfio4j.vmm.passthrough.AssignedDevice} is what the guest finds in a slot.
 *
 * <p>A model of a device is the same here: both are a {@link io.github.vfio4j.VfioDevice}.
 */
package io.github.vfio4j.vmm.passthrough;
