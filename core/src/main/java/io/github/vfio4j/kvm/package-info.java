/**
 * What KVM has to know of a device that is passed to a guest.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.kvm.KvmVm}: the virtual machine, whose file the virtual machine
 *       monitor has;
 *   <li>{@link io.github.vfio4j.kvm.KvmVfio}: which devices it uses, {@link
 *       io.github.vfio4j.kvm.KvmVfioFile}: one of them;
 *   <li>{@link io.github.vfio4j.kvm.Irqfd}: an interrupt of a device that goes straight to the
 *       guest, {@link io.github.vfio4j.kvm.ResampleEvent}: its end, told back;
 *   <li>{@link io.github.vfio4j.kvm.KvmIoEventFd}: a {@link io.github.vfio4j.kvm.GuestWrite} that
 *       rings a doorbell of a device.
 * </ul>
 */
package io.github.vfio4j.kvm;
