/**
 * PCI devices written in Java, and the host that opens them in this process.
 *
 * <ul>
 *   <li>To write one: {@link io.github.vfio4j.model.DeviceModel}, its {@link
 *       io.github.vfio4j.model.PciLayout} of {@link io.github.vfio4j.model.Bar}s, {@link
 *       io.github.vfio4j.model.Registers}, and the {@link io.github.vfio4j.model.Bus} it is on.
 *       {@link io.github.vfio4j.model.edu.EduModel} is an example.
 *   <li>To test a driver on one: {@link io.github.vfio4j.model.ModelHost}, its {@link
 *       io.github.vfio4j.model.Faults} and {@link io.github.vfio4j.model.DmaFault}s.
 * </ul>
 */
package io.github.vfio4j.model;
