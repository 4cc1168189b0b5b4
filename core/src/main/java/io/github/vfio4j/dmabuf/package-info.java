/**
 * Memory of devices that others can have: other devices, and other programs.
 *
 * <p>{@link io.github.vfio4j.dmabuf.PeerMemory} is a part of a device's registers or memory. Mapped
 * into the IO address space of another device, it is a {@link io.github.vfio4j.dmabuf.PeerMapping}:
 * the one device reads and writes the other (peer to peer), and no processor moves the bytes. As an
 * open file it is a {@link io.github.vfio4j.dmabuf.DmaBuf}, which other subsystems of the kernel
 * and other processes take.
 *
 * {@snippet :
 * PeerMemory memory = PeerMemory.of(exporter, PciFunction.RegionKind.BAR2.index());
 * PeerMapping mapping = memory.map(driver.addressSpace(), DmaAccess.READ_WRITE);
 * // the driver's device does DMA to mapping.iova()
 * exporter.reset();
 * mapping.restore(); // the reset has taken the memory away
 * }
 */
package io.github.vfio4j.dmabuf;
