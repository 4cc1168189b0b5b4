/**
 * The kernel, as far as this project calls it.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.linux.Kernel}: every system call, as the kernel answers it; the
 *       seam at which tests stand in. {@link io.github.vfio4j.linux.Ioctl} names the ioctls, {@link
 *       io.github.vfio4j.linux.Request} begins their structures, and {@link
 *       io.github.vfio4j.linux.RepeatedRequest} keeps those of hot code.
 *   <li>{@link io.github.vfio4j.linux.Fd}: an open file, whose number never means another one.
 *       {@link io.github.vfio4j.linux.EventFd}, {@link io.github.vfio4j.linux.Epoll} and {@link
 *       io.github.vfio4j.linux.QueueFile} are files to wait for.
 *   <li>{@link io.github.vfio4j.linux.Pages} and {@link io.github.vfio4j.linux.DeviceMapping}:
 *       memory of this process and of devices; {@link io.github.vfio4j.linux.Mmio} accesses the
 *       latter.
 * </ul>
 *
 * <p>Raw addresses and restricted methods of Java are used here and nowhere else.
 */
package io.github.vfio4j.linux;
