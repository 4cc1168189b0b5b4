/**
 * Open files of devices, handed to another process: to a program without privileges, to another
 * part of a virtual machine monitor, or to the next version of a running one.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.handover.OpenFile}: a file of ours, or one that was received;
 *   <li>{@link io.github.vfio4j.handover.HandoverSocket}: a UNIX socket that open files go through,
 *       {@link io.github.vfio4j.handover.HandoverListener}: where others connect;
 *   <li>{@link io.github.vfio4j.handover.Message}: what arrives there;
 *   <li>{@link io.github.vfio4j.handover.Handover}: devices that go on in another process.
 * </ul>
 *
 * <p>What a process has received it uses through {@link io.github.vfio4j.iommufd.Iommufd#ofFd},
 * {@link io.github.vfio4j.iommufd.Iommufd#bindPassed}, {@link
 * io.github.vfio4j.iommufd.Iommufd#takeBound} and {@link io.github.vfio4j.iommufd.MemoryFile#ofFd}.
 * Who hands an iommufd to a program without privileges sets its {@link
 * io.github.vfio4j.iommufd.RlimitMode} before.
 */
package io.github.vfio4j.handover;
