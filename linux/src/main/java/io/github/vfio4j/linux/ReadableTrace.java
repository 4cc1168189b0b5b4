package io.github.vfio4j.linux;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Calls for people: what was called, on which file, with what, the answer, and how long it took.
 *
 * <pre>IOMMU_IOAS_ALLOC /dev/iommu {flags 0} -> {out_ioas_id 1} = 0  12.3 us</pre>
 *
 * <p>After the arrow are the fields that the kernel changed. A failure has the name of its error.
 * Files are opened, read and written too; signals, by eventfds, are left out. All is in ASCII.
 */
final class ReadableTrace implements CallTrace {
  private static final Map<Integer, List<Ioctl>> IOCTLS =
      Stream.of(Ioctl.values()).collect(Collectors.groupingBy(Ioctl::number));
  private static final String DEVICE = "anon_inode:[vfio-device]";
  private static final String EVENTFD = "anon_inode:[eventfd]";

  private final TraceFile trace;

  ReadableTrace(TraceFile trace) {
    this.trace = trace;
  }

  private void line(String call, long answer, long nanos) {
    String result = answer < 0 ? ErrnoName.of((int) -answer) : Long.toString(answer);
    long tenths = nanos / 100;
    trace.add(ascii(call) + " = " + result + "  " + tenths / 10 + "." + tenths % 10 + " us");
  }

  private static String ascii(String text) {
    return text.codePoints()
        .mapToObj(c -> c >= ' ' && c <= '~' ? Character.toString(c) : "\\u{%x}".formatted(c))
        .collect(Collectors.joining());
  }

  /** The kernel uses some numbers twice, for a device and for another file. */
  private static @Nullable Ioctl ioctl(int request, String file) {
    boolean device = file.startsWith("/dev/vfio/devices/") || file.equals(DEVICE);
    List<Ioctl> meanings = IOCTLS.getOrDefault(request, List.of());
    return meanings.stream()
        .filter(meaning -> meanings.size() == 1 || isOfDevice(meaning) == device)
        .findFirst()
        .orElse(null);
  }

  private static boolean isOfDevice(Ioctl ioctl) {
    return ioctl.name().startsWith("VFIO_DEVICE_");
  }

  private static String name(int request, @Nullable Ioctl ioctl) {
    return ioctl == null ? "ioctl 0x" + Integer.toHexString(request) : ioctl.name();
  }

  @Override
  public void open(String path, int answer, long nanos) {
    line("open " + path, answer, nanos);
  }

  @Override
  public void ioctl(int request, byte[] passed, byte[] left, String file, int answer, long nanos) {
    Ioctl ioctl = ioctl(request, file);
    StructureText text = StructureText.of(ioctl);
    String reply = Arrays.equals(passed, left) ? "" : " -> " + text.changed(passed, left);
    line(name(request, ioctl) + " " + file + " " + text.passed(passed) + reply, answer, nanos);
  }

  @Override
  public void ioctl(int request, long argument, String file, int answer, long nanos) {
    line(name(request, ioctl(request, file)) + " " + file + " " + argument, answer, nanos);
  }

  @Override
  public void read(byte[] read, String file, long answer, long nanos) {
    if (!file.equals(EVENTFD)) {
      line("read " + file + " " + BytesText.of(read), answer, nanos);
    }
  }

  @Override
  public void write(byte[] written, String file, long answer, long nanos) {
    if (!file.equals(EVENTFD)) {
      line("write " + file + " " + BytesText.of(written), answer, nanos);
    }
  }
}
