package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.bindings.vfio_device_feature;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.linux.Untraced;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.stream.Stream;

/** A virtual function of a physical one that is bound to vfio-pci; it goes when this is closed. */
record VirtualFunction(PciDevice physical, PciDevice device) implements AutoCloseable {
  private static final UUID TOKEN = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");

  static VirtualFunction of(PciDevice physical) throws IOException {
    setCount(physical, 1);
    PciDevice virtual = Sysfs.host().virtualFunctions(physical).getFirst();
    return new VirtualFunction(
        physical, DriverBinding.bind(Sysfs.host(), virtual.address()).device());
  }

  private static void setCount(PciDevice physical, int count) throws IOException {
    Files.writeString(physical.path().resolve("sriov_numvfs"), "" + count);
  }

  /** Opens it with a token, which the library does not, and returns the number of its file. */
  int openIn(Container container) throws IOException {
    setToken();
    int group = device.iommuGroup().orElseThrow();
    container.group(group);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(device.name() + " vf_token=" + TOKEN);
      int file = ioctl("/dev/vfio/" + group, vfio_h.VFIO_GROUP_GET_DEVICE_FD, name);
      assertThat(file).isPositive();
      return file;
    }
  }

  /** Whoever has the physical function open says which token the virtual ones want. */
  private void setToken() throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice _ = VfioDevice.open(physical, Backend.CONTAINER)) {
      int size = (int) vfio_device_feature.SIZEOF + 2 * Long.BYTES;
      MemorySegment request = arena.allocate(size, Integer.BYTES);
      vfio_device_feature.argsz(request, size);
      vfio_device_feature.flags(
          request, vfio_h.VFIO_DEVICE_FEATURE_SET | vfio_h.VFIO_DEVICE_FEATURE_PCI_VF_TOKEN);
      byte[] token =
          ByteBuffer.allocate(2 * Long.BYTES)
              .putLong(TOKEN.getMostSignificantBits())
              .putLong(TOKEN.getLeastSignificantBits())
              .array();
      request.asSlice(vfio_device_feature.SIZEOF).copyFrom(MemorySegment.ofArray(token));
      assertThat(ioctl("anon_inode:[vfio-device]", vfio_h.VFIO_DEVICE_FEATURE, request)).isZero();
    }
  }

  /** Asks the one file of this process that has a name; no trace sees what the library does not. */
  private static int ioctl(String file, int request, MemorySegment argument) throws IOException {
    return Untraced.kernel().ioctl(number(file), request, argument);
  }

  private static int number(String file) throws IOException {
    try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
      for (Path link : links.toList()) {
        if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).toString().equals(file)) {
          return Integer.parseInt(link.getFileName().toString());
        }
      }
    }
    throw new AssertionError("not open: " + file);
  }

  @Override
  public void close() throws IOException {
    setCount(physical, 0);
  }
}
