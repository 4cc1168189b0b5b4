/**
 * Moving a device's state to another device: version 2 of VFIO's migration, and the log of what a
 * device writes meanwhile.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.migration.Migration}: the states of a device, and saving and
 *       restoring what is in it;
 *   <li>{@link io.github.vfio4j.migration.SavingStream} and {@link
 *       io.github.vfio4j.migration.ResumingStream}: the data itself, for those who want to pace it;
 *   <li>{@link io.github.vfio4j.migration.DmaLog}: which memory the device has written.
 * </ul>
 *
 * <p>A virtual machine that is moved while it runs, with one device:
 *
 * <pre>{@code
 * try (Migration source = Migration.of(device)) {
 *   while (source.precopy(socket).initialBytes() > 0) {} // the device still runs
 *   source.save(socket); // now it has stopped
 * }
 * ...
 * try (Migration target = Migration.of(other)) {
 *   target.restore(received);
 *   target.moveTo(DeviceState.RUNNING);
 * }
 * }</pre>
 */
package io.github.vfio4j.migration;
