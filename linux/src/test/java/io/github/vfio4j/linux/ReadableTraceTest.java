package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.bindings.iommu_ioas_map;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a person reads of calls. */
class ReadableTraceTest {
  private static final int O_RDWR = 2;
  private static final byte[] NONE = {};

  @TempDir Path directory;
  private Path file;
  private ReadableTrace trace;

  @BeforeEach
  void open() {
    file = directory.resolve("calls");
    trace = new ReadableTrace(TraceFile.of(file.toString()));
  }

  private List<String> lines() throws IOException {
    return Files.readAllLines(file);
  }

  private static byte[] ints(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      bytes.putInt(value);
    }
    return bytes.array();
  }

  @Test
  void tellsADevicesCallFromAContainersOfTheSameNumber() throws IOException {
    int number = Ioctl.VFIO_DEVICE_PCI_HOT_RESET.number();
    assertThat(Ioctl.VFIO_IOMMU_MAP_DMA.number()).isEqualTo(number);
    byte[] reset = ints(16, 0, 1, 9);
    trace.ioctl(number, reset, reset, "anon_inode:[vfio-device]", 0, 100);
    trace.ioctl(number, reset, reset, "/dev/vfio/devices/vfio0", 0, 100);
    trace.ioctl(number, NONE, NONE, "/dev/vfio/vfio", 0, 100);

    assertThat(lines().get(0))
        .startsWith("VFIO_DEVICE_PCI_HOT_RESET ")
        .contains("{flags 0, count 1");
    assertThat(lines().get(1)).startsWith("VFIO_DEVICE_PCI_HOT_RESET ");
    assertThat(lines().get(2)).startsWith("VFIO_IOMMU_MAP_DMA ");
  }

  @Test
  void namesTheCallItsFieldsAndWhatTheKernelChanged() throws IOException {
    byte[] passed = ints(12, 0, 0);
    byte[] left = ints(12, 0, 17);
    trace.ioctl(Ioctl.IOMMU_IOAS_ALLOC.number(), passed, left, "/dev/iommu", 0, 12_345);

    assertThat(lines())
        .containsExactly(
            "IOMMU_IOAS_ALLOC /dev/iommu {flags 0, out_ioas_id 0} -> {out_ioas_id 0x11} = 0"
                + "  12.3 us");
  }

  @Test
  void namesTheError() throws IOException {
    byte[] passed = ints(8, 3);
    trace.ioctl(Ioctl.IOMMU_DESTROY.number(), passed, passed, "/dev/iommu", -16, 900);
    trace.open("/dev/vfio/5", -13, 2_000_000);
    trace.open("/dev/vfio/6", -132, 50);

    assertThat(lines())
        .containsExactly(
            "IOMMU_DESTROY /dev/iommu {id 3} = EBUSY  0.9 us",
            "open /dev/vfio/5 = EACCES  2000.0 us",
            "open /dev/vfio/6 = errno 132  0.0 us");
  }

  @Test
  void showsWhatFollowsTheFields() throws IOException {
    byte[] passed = ints(24, 0x24, 1, 0, 1, 9);
    trace.ioctl(
        Ioctl.VFIO_DEVICE_SET_IRQS.number(), passed, passed, "/dev/vfio/devices/vfio0", 0, 0);

    assertThat(lines())
        .containsExactly(
            "VFIO_DEVICE_SET_IRQS /dev/vfio/devices/vfio0 {flags 0x24, index 1, start 0, count 1,"
                + " 09000000} = 0  0.0 us");
  }

  @Test
  void showsNumbersTextAndCallsWithoutAName() throws IOException {
    byte[] name = "0000:00:05.0\0".getBytes(StandardCharsets.US_ASCII);
    trace.ioctl(Ioctl.VFIO_CHECK_EXTENSION.number(), 3, "/dev/vfio/vfio", 1, 0);
    trace.ioctl(Ioctl.VFIO_GROUP_GET_DEVICE_FD.number(), name, name, "/dev/vfio/5", 12, 0);
    trace.ioctl(0x541b, ints(0), ints(5), "pipe:[1]", 0, 0);

    assertThat(lines())
        .containsExactly(
            "VFIO_CHECK_EXTENSION /dev/vfio/vfio 3 = 1  0.0 us",
            "VFIO_GROUP_GET_DEVICE_FD /dev/vfio/5 {\"0000:00:05.0\"} = 12  0.0 us",
            "ioctl 0x541b pipe:[1] {00000000} -> {05000000} = 0  0.0 us");
  }

  @Test
  void aStructureThatIsCutIsShownAsFarAsItGoes() throws IOException {
    byte[] passed = ints(10, 7, 0x10000);
    trace.ioctl(Ioctl.IOMMU_IOAS_MAP.number(), passed, passed, "f", -22, 0);

    assertThat(lines())
        .containsExactly("IOMMU_IOAS_MAP f {flags 7, ioas_id 0x10000} = EINVAL  0.0 us");
  }

  @Test
  void showsWhatIsReadAndWrittenButNoSignals() throws IOException {
    trace.write("0000:00:05.0\n".getBytes(StandardCharsets.US_ASCII), "/sys/bind", 13, 0);
    trace.write(ints(1), "anon_inode:[eventfd]", 4, 0);
    trace.read(new byte[100], "anon_inode:[iommufd-fault]", 100, 0);
    trace.read(NONE, "anon_inode:[iommufd-fault]", -11, 0);

    assertThat(lines())
        .containsExactly(
            "write /sys/bind \"0000:00:05.0\" = 13  0.0 us",
            "read anon_inode:[iommufd-fault] " + "00".repeat(64) + "... = 100  0.0 us",
            "read anon_inode:[iommufd-fault]  = EAGAIN  0.0 us");
  }

  @Test
  void theNameOfAFileDoesNotReachATerminalRaw() throws IOException {
    trace.open("/tmp/\u001b[2J\n\u00e4", -2, 0);

    assertThat(lines()).containsExactly("open /tmp/\\u{1b}[2J\\u{a}\\u{e4} = ENOENT  0.0 us");
  }

  @Test
  void isThereBesidesTheTraceForPrograms() throws IOException {
    Path raw = directory.resolve("raw");
    Kernel kernel = KernelChoice.choose(raw.toString(), file.toString());
    int fd = kernel.open(file.toString(), O_RDWR);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment map = arena.allocate(iommu_ioas_map.SIZEOF, 8);
      map.set(JAVA_INT, iommu_ioas_map.size$OFFSET, (int) iommu_ioas_map.SIZEOF);
      map.set(JAVA_LONG, iommu_ioas_map.length$OFFSET, 4096);
      kernel.ioctl(fd, Ioctl.IOMMU_IOAS_MAP.number(), map);
    }
    kernel.close(fd);

    assertThat(lines().getFirst()).matches("open \\Q" + file + "\\E = \\d+  \\d+\\.\\d us");
    assertThat(lines().getLast())
        .startsWith("IOMMU_IOAS_MAP " + file + " {flags 0, ")
        .contains(", length 0x1000, ")
        .contains("} = ENOTTY  ");
    assertThat(Files.readAllLines(raw))
        .singleElement()
        .asString()
        .startsWith("0x3b85 -25 28000000");
  }
}
