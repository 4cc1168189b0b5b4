/**
 * All that is a PC's: {@link io.github.vfio4j.vmm.x86.PcBoard} is the way in. {@code Layout} says
 * where things are, {@code LinuxBoot} loads the kernel, {@code AcpiTables} tell it what there is,
 * {@code Processors} sets registers, {@code Serial} and {@code PowerPorts} are devices.
 */
package io.github.vfio4j.vmm.x86;
