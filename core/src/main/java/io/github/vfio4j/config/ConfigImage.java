package io.github.vfio4j.config;

import io.github.vfio4j.ConfigSpace;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.PciFunction;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.PciResource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The configuration space of a PCI device as it was at one time.
 *
 * <p>Sizes of base address registers come from who knows them without asking the device: VFIO's
 * region information, or sysfs. Immutable.
 */
public final class ConfigImage {
  private static final int HEADER = 64;
  private static final int CONVENTIONAL = 256;
  private static final int EXPRESS = 4096;
  private static final int STATUS = 0x06;
  private static final int STATUS_CAPABILITIES = 0x10;

  private final String name;
  private final byte[] bytes;
  private final List<BarResource> resources;

  private ConfigImage(String name, byte[] bytes, List<BarResource> resources) throws VfioException {
    this.name = name;
    this.bytes = bytes;
    this.resources = resources;
    boolean answered = false;
    for (int i = 0; i < HEADER; i++) {
      answered |= bytes[i] != -1;
    }
    if (!answered) {
      throw new NoSuchDeviceException(
          "read configuration space", name, null, "the device does not answer: it has gone");
    }
  }

  /**
   * Reads the configuration space of an open device, as VFIO shows it: some registers are the
   * kernel's own, and some capabilities are left out.
   *
   * @param device a PCI device
   * @return the image, with the sizes of the base address registers
   * @throws IllegalStateException if the device is closed, or not a PCI device
   * @throws NoSuchDeviceException if it does not answer
   * @throws VfioException if the kernel refuses
   */
  public static ConfigImage of(VfioDevice device) throws VfioException {
    PciFunction pci = device.pci();
    Region region = pci.config().region();
    long size = Math.min(region.size(), EXPRESS);
    if (size < HEADER) {
      throw tooShort(device.name(), size);
    }
    byte[] bytes;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment whole = arena.allocate(size);
      region.read(0, whole);
      bytes = whole.toArray(ValueLayout.JAVA_BYTE);
    }
    List<BarResource> resources = new ArrayList<>();
    int count = Math.min(device.info().regionCount(), PciFunction.RegionKind.ROM.index() + 1);
    for (int bar = 0; bar < count; bar++) {
      resources.add(BarResource.ofSize(device.region(bar).size()));
    }
    return new ConfigImage(device.name(), bytes, resources);
  }

  /**
   * Reads the configuration space of a device of this host, whoever drives it. Only root sees more
   * than the header.
   *
   * @param device the device, as sysfs shows it
   * @return the image, with the sizes of the base address registers
   * @throws NoSuchDeviceException if it is gone, or does not answer
   * @throws VfioException if sysfs cannot be read
   */
  public static ConfigImage of(PciDevice device) throws VfioException {
    byte[] bytes = device.config();
    if (bytes.length < HEADER) {
      throw tooShort(device.name(), bytes.length);
    }
    List<BarResource> resources = new ArrayList<>();
    for (PciResource resource : device.resources()) {
      resources.add(BarResource.of(resource));
    }
    return new ConfigImage(device.name(), upToExpress(bytes), resources);
  }

  private static VfioException tooShort(String name, long size) {
    return new VfioException(
        "read configuration space", name, null, "it ends after %d bytes".formatted(size));
  }

  /**
   * Takes bytes that were read elsewhere. The sizes of the base address registers are not known.
   *
   * @param name what they are of, for messages
   * @param bytes the space from its beginning: 64 bytes at least. What follows the first 4096 is
   *     left out
   * @return the image
   * @throws IllegalArgumentException if there are fewer than 64 bytes
   * @throws NoSuchDeviceException if they are all ones, as read of a device that does not answer
   */
  public static ConfigImage of(String name, byte[] bytes) throws VfioException {
    if (bytes.length < HEADER) {
      throw new IllegalArgumentException(
          "A configuration space has 64 bytes at least, not " + bytes.length);
    }
    return new ConfigImage(name, upToExpress(bytes), List.of());
  }

  private static byte[] upToExpress(byte[] bytes) {
    return Arrays.copyOf(bytes, Math.min(bytes.length, EXPRESS));
  }

  /**
   * Returns how much of the space is here.
   *
   * @return bytes: 4096 of PCI Express, 256 of most others, or 64 where only the header could be
   *     read
   */
  public int size() {
    return bytes.length;
  }

  /**
   * Returns the space.
   *
   * @return a copy of the bytes
   */
  public byte[] bytes() {
    return bytes.clone();
  }

  /**
   * Takes the header apart.
   *
   * @return what is in it
   */
  public ConfigHeader header() {
    return ConfigHeader.read(this);
  }

  /**
   * Returns whether {@link #capabilities} can tell the capabilities: there are none, or the space
   * is whole.
   *
   * @return false where only the header could be read, and it says that more follows
   */
  public boolean showsCapabilities() {
    return bytes.length > HEADER || (u16(STATUS) & STATUS_CAPABILITIES) == 0;
  }

  /**
   * Takes all capabilities apart, those of the conventional space first.
   *
   * @return the capabilities in the device's order; those that are not known here are {@link
   *     OtherCapability}
   * @throws NotPermittedException if only the header could be read
   * @throws VfioException if the device's list leaves its space or turns back on itself, or a
   *     capability is cut by the end of the space
   */
  public List<PciCapability> capabilities() throws VfioException {
    if (!showsCapabilities()) {
      throw new NotPermittedException(
          "read capabilities", name, null, "only root sees more than the header in sysfs");
    }
    ConfigSpace space = ConfigSpace.of(new ImageRegion(name, bytes));
    List<PciCapability> found = new ArrayList<>();
    decode(space.capabilities(), false, Math.min(CONVENTIONAL, bytes.length), found);
    decode(space.extendedCapabilities(), true, bytes.length, found);
    return List.copyOf(found);
  }

  private void decode(
      List<ConfigSpace.Capability> listed, boolean extended, int end, List<PciCapability> found)
      throws VfioException {
    TreeSet<Integer> starts = new TreeSet<>();
    listed.forEach(each -> starts.add(each.offset()));
    for (ConfigSpace.Capability each : listed) {
      if (each.id() == 0) {
        continue; // the null capability, where one was taken out
      }
      Integer next = starts.higher(each.offset());
      CapabilityBytes capability =
          new CapabilityBytes(this, name, each.id(), each.offset(), end, next == null ? end : next);
      found.add(
          extended ? Capabilities.extended(capability) : Capabilities.conventional(capability));
    }
  }

  /**
   * Finds a capability.
   *
   * @param <C> its kind
   * @param kind which one, such as {@link MsixCapability}
   * @return the first of this kind in the device's order, if there is one
   * @throws VfioException as {@link #capabilities}
   */
  public <C extends PciCapability> Optional<C> find(Class<C> kind) throws VfioException {
    return capabilities().stream().filter(kind::isInstance).map(kind::cast).findFirst();
  }

  /** Returns what is known of a base address register, or of the ROM (6), besides its bits. */
  BarResource resource(int number) {
    return number < resources.size() ? resources.get(number) : BarResource.UNKNOWN;
  }

  int u8(int at) {
    return Byte.toUnsignedInt(bytes[at]);
  }

  int u16(int at) {
    return u8(at) | u8(at + 1) << 8;
  }

  int i32(int at) {
    return u16(at) | u16(at + 2) << 16;
  }

  /** Returns whose configuration space it is. */
  @Override
  public String toString() {
    return "configuration space of " + name;
  }
}
