package io.github.vfio4j.linux;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Calls for people: what was called, on which file, with what, the answer, and how long it took.
 *
 * <pre>IOMMU_IOAS_ALLOC /dev/iommu {flags 0} -> {out_ioas_id 1} = 0  12.3 us</pre>
 *
 * <p>After the arrow are the fields that the kernel changed. A failure has the name of its error.
 * Files are opened, read and written too; signals, by eventfds, are left out. All is in ASCII.
 */
final class ReadableTrace implements CallTrace {
  private static final Map<Integer, Ioctl> IOCTLS =
      Stream.of(Ioctl.values()).collect(Collectors.toMap(Ioctl::number, ioctl -> ioctl));
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

  private static String name(int request) {
    Ioctl ioctl = IOCTLS.get(request);
    return ioctl == null ? "ioctl 0x" + Integer.toHexString(request) : ioctl.name();
  }

  @Override
  public void open(String path, int answer, long nanos) {
    line("open " + path, answer, nanos);
  }

  @Override
  public void ioctl(int request, byte[] passed, byte[] left, String file, int answer, long nanos) {
    StructureText text = StructureText.of(IOCTLS.get(request));
    String reply = Arrays.equals(passed, left) ? "" : " -> " + text.changed(passed, left);
    line(name(request) + " " + file + " " + text.passed(passed) + reply, answer, nanos);
  }

  @Override
  public void ioctl(int request, long argument, String file, int answer, long nanos) {
    line(name(request) + " " + file + " " + argument, answer, nanos);
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
