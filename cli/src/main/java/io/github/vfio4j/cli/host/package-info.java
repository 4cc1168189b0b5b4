/**
 * What every command works on, and how it ends.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.cli.host.CommandHost}: the devices, and where results go;
 *   <li>{@link io.github.vfio4j.cli.host.OpenedDevice} and {@link
 *       io.github.vfio4j.cli.host.ResetRun}: a device looked into, and reset;
 *   <li>{@link io.github.vfio4j.cli.host.DeviceName} and {@link
 *       io.github.vfio4j.cli.host.DeviceJson}: a device as people and programs name it;
 *   <li>{@link io.github.vfio4j.cli.host.ExitStatus}, {@link io.github.vfio4j.cli.host.Failures}
 *       and {@link io.github.vfio4j.cli.host.Interruption}: outcomes.
 * </ul>
 */
package io.github.vfio4j.cli.host;
