package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.RegionCapability.SparseMmap.Area;
import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.bindings.vfio_device_info_cap_pci_atomic_comp;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_region_info;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the kernel says of regions, and of devices, beyond their size. */
class RegionCapabilityTest {
  private static final int PAGE = 4096;

  @TempDir Path root;
  private FakeMachine machine;

  @BeforeEach
  void makeMachine() throws VfioException {
    machine = new FakeMachine(root);
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  /** One capability: its header, then its numbers, of 8 bytes each. */
  private static byte[] capability(int id, long... numbers) {
    byte[] bytes = new byte[8 + numbers.length * Long.BYTES];
    ByteBuffer fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    fields.putShort((short) id).putShort((short) 1).putInt(0);
    for (long number : numbers) {
      fields.putLong(number);
    }
    return bytes;
  }

  /** Puts capabilities behind a structure, each with the offset of the next. */
  private static byte[] chain(byte[]... capabilities) {
    ByteArrayOutputStream chain = new ByteArrayOutputStream();
    for (int i = 0; i < capabilities.length; i++) {
      byte[] one = capabilities[i];
      int end = (int) vfio_region_info.SIZEOF + chain.size() + one.length;
      boolean last = i == capabilities.length - 1;
      ByteBuffer.wrap(one).order(ByteOrder.LITTLE_ENDIAN).putInt(4, last ? 0 : end);
      chain.writeBytes(one);
    }
    return chain.toByteArray();
  }

  private static byte[] sparse(long count, long... areas) {
    long[] numbers = new long[areas.length + 1];
    numbers[0] = count;
    System.arraycopy(areas, 0, numbers, 1, areas.length);
    return capability(vfio_h.VFIO_REGION_INFO_CAP_SPARSE_MMAP, numbers);
  }

  @Test
  void eachKindIsKept() throws VfioException {
    machine.regions.count(12);
    machine.regions.capabilities(
        10,
        chain(
            capability(vfio_h.VFIO_REGION_INFO_CAP_TYPE, 0x2L << 32 | 0x80008086L),
            capability(vfio_h.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE),
            capability(vfio_h.VFIO_REGION_INFO_CAP_NVLINK2_SSATGT, 0x1234567890L),
            capability(vfio_h.VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD, 9),
            capability(77, 0x0102L)));
    machine.regions.capabilities(
        11, chain(capability(vfio_h.VFIO_REGION_INFO_CAP_TYPE, 1L << 32 | 1)));

    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThat(device.region(10).info().capabilities())
          .containsExactly(
              new RegionCapability.Type(0x80008086, 2),
              new RegionCapability.MsixMappable(),
              new RegionCapability.NvLink2Target(0x1234567890L),
              new RegionCapability.NvLink2Speed(9),
              new RawCapability(77, 1, new byte[] {2, 1, 0, 0, 0, 0, 0, 0}));
      assertThat(device.region(10).info().type().orElseThrow().pciVendor()).hasValue(0x8086);
      assertThat(device.region(11).info().type().orElseThrow().pciVendor()).isEmpty();
      assertThat(device.regionOfType(1, 1)).containsSame(device.region(11));
      assertThat(device.regionOfType(1, 2)).isEmpty();
      assertThat(device.region(0).info().type()).isEmpty();
    }
  }

  @Test
  void areasAreMappedEachAndNothingBetweenThem() throws VfioException {
    machine.regions.capabilities(1, chain(sparse(3, 0, PAGE, PAGE, 0, PAGE, PAGE)));

    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      Region region = device.region(1);
      assertThat(region.info().mappableAreas())
          .containsExactly(new Area(0, PAGE), new Area(PAGE, PAGE));

      List<MappedRegion> areas = region.mapAreas();

      assertThat(areas).extracting(MappedRegion::offset).containsExactly(0L, (long) PAGE);
      assertThat(areas).extracting(MappedRegion::size).containsOnly((long) PAGE);
      assertThat(machine.deviceMappings.protections()).hasSize(2);
      areas.getFirst().close();
      assertThat(machine.deviceMappings.protections()).hasSize(1);
      assertThatThrownBy(region::map).isInstanceOf(UnsupportedOperationException.class);
    }
  }

  @Test
  void regionWithoutAreasIsMappedWhole() throws VfioException {
    try (VfioDevice device = machine.open(Backend.CONTAINER)) {
      assertThat(device.region(0).mapAreas())
          .singleElement()
          .extracting(MappedRegion::size)
          .isEqualTo(device.region(0).size());
    }
  }

  @Test
  void regionOfNoAreasIsNotMapped() throws VfioException {
    machine.regions.capabilities(1, chain(sparse(0)));

    try (VfioDevice device = machine.open(Backend.CONTAINER)) {
      assertThat(device.region(1).info().mappableAreas()).isEmpty();
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(() -> device.region(1).mapAreas())
          .withMessageContaining("cannot be mapped");
    }
  }

  @Test
  void eitherAllAreasAreMappedOrNone() throws VfioException {
    machine.regions.capabilities(1, chain(sparse(2, 0, PAGE, PAGE, PAGE)));
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      Region region = device.region(1);
      boolean failed = true;
      for (int call = 1; failed; call++) {
        machine.kernel.failCall(call, Errno.ENOMEM);
        try {
          region.mapAreas();
          failed = machine.kernel.hasFailed();
        } catch (VfioException e) {
          assertThat(machine.deviceMappings.protections()).as("after call %d", call).isEmpty();
        }
      }
      machine.kernel.failCall(-1, Errno.ENOMEM);
      assertThat(machine.deviceMappings.protections()).hasSize(2);
    }
  }

  @Test
  void areasThatAreNotInTheRegionAreNotBelieved() throws VfioException {
    machine.regions.capabilities(1, chain(sparse(1, PAGE, 2 * PAGE)));
    machine.regions.capabilities(2, chain(sparse(9, 0, PAGE)));
    machine.regions.capabilities(3, chain(capability(vfio_h.VFIO_REGION_INFO_CAP_TYPE)));

    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThatThrownBy(() -> device.region(1)).hasMessageContaining("0x2000 bytes at 0x1000");
      assertThatThrownBy(() -> device.region(2)).hasMessageContaining("9 areas");
      assertThatThrownBy(() -> device.region(3)).hasMessageContaining("capability 2 with 8 bytes");
    }
  }

  /** Has the device tell of a capability that claims to be so large. */
  private void deviceCapability(int id, int size) {
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == Ioctl.VFIO_DEVICE_GET_INFO) {
            long needed = vfio_device_info.SIZEOF + size;
            vfio_device_info.argsz(reply, (int) needed);
            if (reply.byteSize() >= needed) {
              vfio_device_info.flags(
                  reply, vfio_device_info.flags(reply) | vfio_h.VFIO_DEVICE_FLAGS_CAPS);
              vfio_device_info.cap_offset(reply, (int) vfio_device_info.SIZEOF);
              var capability = reply.asSlice(vfio_device_info.SIZEOF);
              capability.fill((byte) 5);
              capability.copyFrom(java.lang.foreign.MemorySegment.ofArray(capability(id)));
            }
          }
        });
  }

  @Test
  void atomicOperationsAreTold() throws VfioException {
    deviceCapability(
        vfio_h.VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP,
        (int) vfio_device_info_cap_pci_atomic_comp.SIZEOF);

    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      var atomics = device.info().pciAtomicCompletion().orElseThrow();
      assertThat(atomics.completes(32)).isTrue();
      assertThat(atomics.completes(64)).isFalse();
      assertThat(atomics.completes(128)).isTrue();
      assertThat(atomics.completes(16)).isFalse();
      assertThat(device.info().capabilities()).containsExactly(atomics);
    }
  }

  @Test
  void otherCapabilitiesOfADeviceAreKeptAsBytes() throws VfioException {
    deviceCapability(vfio_h.VFIO_DEVICE_INFO_CAP_ZPCI_BASE, 16);

    try (VfioDevice device = machine.open(Backend.CONTAINER)) {
      assertThat(device.info().pciAtomicCompletion()).isEmpty();
      assertThat(device.info().capabilities())
          .containsExactly(
              new RawCapability(
                  vfio_h.VFIO_DEVICE_INFO_CAP_ZPCI_BASE, 1, new byte[] {5, 5, 5, 5, 5, 5, 5, 5}));
    }
  }

  @Test
  void shortCapabilityOfADeviceIsNotBelieved() throws VfioException {
    deviceCapability(vfio_h.VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP, 8);

    assertThatThrownBy(() -> machine.open(Backend.IOMMUFD))
        .hasMessageContaining("capability 5 with 8 bytes, not 16");
  }
}
