package io.github.vfio4j.vmm.x86;

/** Where things are in the guest's physical addresses. */
final class Layout {
  static final long GDT = 0x500;
  static final long PARAMETERS = 0x7000;
  static final long PAGE_TABLES = 0x9000;
  static final long COMMAND_LINE = 0x20000;
  static final long COMMAND_LINE_SIZE = 0x10000;

  /** From here to one MiB is what a PC has for firmware; the tables of ACPI are in it. */
  static final long FIRMWARE = 0x9fc00;

  static final long ACPI = 0xe0000;
  static final long ONE_MIB = 0x100000;

  /** Memory that would be from here to 4 GiB is above 4 GiB. */
  static final long HOLE = 0xc000_0000L;

  /** From here to the configuration spaces BARs of 32 bits may be. */
  static final long PCI_MEMORY = HOLE;

  static final long ECAM = 0xe000_0000L;

  /** The upper half of what 39 bits reach, the fewest that an IOMMU translates. */
  static final long PCI_HIGH_MEMORY = 1L << 38;

  static final long PCI_HIGH_MEMORY_END = 1L << 39;

  /** The first pin of the IOAPIC that the lines of PCI have. */
  static final int PCI_GSI = 16;

  static final int PCI_HOTPLUG_PORT = 0x620;
  static final int MEMORY_HOTPLUG_PORT = 0x630;
  static final int EVENTS_PORT = 0x640;
  static final int MEMORY_MODULES_PORT = 0x700;
  static final int PCI_PORTS = 0xc000;
  static final int LAST_PORT = 0xffff;

  static final long FOUR_GIB = 1L << 32;
  static final long IO_APIC = 0xfec0_0000L;
  static final long LOCAL_APIC = 0xfee0_0000L;

  /** Pages that KVM keeps for itself on Intel's processors. */
  static final long IDENTITY_MAP = 0xfffb_c000L;

  static final long TSS = 0xfffb_d000L;

  private Layout() {}
}
