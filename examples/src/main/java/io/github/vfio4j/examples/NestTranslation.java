package io.github.vfio4j.examples;

import static io.github.vfio4j.smmuv3.Stage1Tables.PAGE_SIZE;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.smmuv3.ArmSmmuv3StreamTableEntry;
import io.github.vfio4j.smmuv3.ContextDescriptor;
import io.github.vfio4j.smmuv3.PageFlag;
import io.github.vfio4j.smmuv3.Stage1Tables;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.ReservedRegion;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Translates a device's DMA twice, as for a guest of a virtual machine: by a page table that the
 * guest writes in its memory, and by the host's. Only for an IOMMU of the kind SMMUv3.
 *
 * <pre>{@code
 * lab/run --machine smmuv3 -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.NestTranslation
 * }</pre>
 */
final class NestTranslation {
  private static final int PAGES = 32;

  /** Where the guest finds its memory: the context descriptor first, then 15 tables, then data. */
  private static final long GUEST_MEMORY = 0x4000_0000L;

  private static final int DATA = 16;

  /** What the device asks for; the guest's page table leads it to the data. */
  private static final long INPUT = 0x345_6000L;

  private static final int INPUT_BITS = 39;
  private static final int ADDRESS_SPACE = 1;
  private static final long STREAM = 0x10;

  private static final long DEVICE_MEMORY = 0x40000;

  private NestTranslation() {}

  public static void main(String[] arguments) throws IOException {
    Sysfs host = Sysfs.host();
    try (DriverBinding binding = DriverBinding.bind(host, PciAddress.of("0000:00:05.0"));
        Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = iommufd.bind(binding.device());
      int group = binding.device().iommuGroup().orElseThrow();
      System.out.println(
          echo("through two page tables", device, host.group(group).reservedRegions()));
    }
  }

  /** Returns what the device read at the input address, and wrote back there. */
  static String echo(String text, CdevDevice device, List<ReservedRegion> reserved)
      throws IOException {
    long size = (long) PAGES * PAGE_SIZE;
    MemorySegment memory = Arena.ofAuto().allocate(size, size); // freed after the last use of it
    attach(device, memory, reserved);
    MemorySegment data = memory.asSlice(DATA * PAGE_SIZE, PAGE_SIZE);
    try (Edu edu = Edu.start(device)) {
      data.setString(0, text);
      edu.transfer(INPUT, DEVICE_MEMORY, 64, false);
      data.fill((byte) 0);
      edu.transfer(DEVICE_MEMORY, INPUT, 64, true);
    }
    return data.getString(0);
  }

  /** Does the host's part: the memory, the device and an IOMMU of its own for the guest. */
  private static void attach(CdevDevice device, MemorySegment memory, List<ReservedRegion> reserved)
      throws IOException {
    Ioas ioas = device.iommufd().allocateIoas();
    ioas.map(memory, GUEST_MEMORY, DmaAccess.READ_WRITE);
    HwptPaging parent = ioas.allocateHwpt(device, HwptFlag.NEST_PARENT);
    Viommu viommu = parent.allocateViommu(device, Viommu.ARM_SMMUV3);
    viommu.allocateVdevice(device, STREAM);
    ContextDescriptor.of(guestTables(memory, reserved), ADDRESS_SPACE).write(memory, 0);
    device.attach(viommu.allocateNested(device, ArmSmmuv3StreamTableEntry.translate(GUEST_MEMORY)));
  }

  /** Does the guest's part: a page table in its memory. Messages of interrupts need it too. */
  private static Stage1Tables guestTables(MemorySegment memory, List<ReservedRegion> reserved) {
    MemorySegment tables = memory.asSlice(PAGE_SIZE, (DATA - 1) * PAGE_SIZE);
    Stage1Tables guest = new Stage1Tables(tables, GUEST_MEMORY + PAGE_SIZE, INPUT_BITS);
    guest.map(INPUT, GUEST_MEMORY + DATA * PAGE_SIZE, PAGE_SIZE);
    for (ReservedRegion region : reserved) {
      if (region.type().equals("msi")) {
        long length = region.last() + 1 - region.first();
        guest.map(region.first(), region.first(), length, PageFlag.DEVICE_MEMORY);
      }
    }
    return guest;
  }
}
