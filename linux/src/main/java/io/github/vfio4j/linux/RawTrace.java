package io.github.vfio4j.linux;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * Calls for programs: every ioctl, and what is read from and written to the queues of an iommufd,
 * which are messages too. A line has five fields:
 *
 * <pre>REQUEST ANSWER ARGUMENT REPLY FILE</pre>
 *
 * <p>The request is the ioctl's number, {@code read} or {@code write}; the answer is the kernel's,
 * a negated error number if below zero. The argument is the structure that was passed, in
 * hexadecimal and as long as it says itself, or {@code int:} and a number; the reply is the same
 * structure afterwards, or {@code =} where it has not changed. {@code -} stands for nothing. The
 * file is the name that {@code /proc} has for it.
 */
final class RawTrace implements CallTrace {
  private static final String NOTHING = "-";
  private static final String UNCHANGED = "=";
  private static final String QUEUE = "anon_inode:[iommufd";
  private static final HexFormat HEX = HexFormat.of();

  private final TraceFile trace;

  RawTrace(TraceFile trace) {
    this.trace = trace;
  }

  private void line(String request, long answer, String argument, String reply, String file) {
    trace.add(request + " " + answer + " " + argument + " " + reply + " " + file);
  }

  private static String number(int request) {
    return "0x" + Integer.toHexString(request);
  }

  private static String hex(byte[] bytes) {
    return bytes.length == 0 ? NOTHING : HEX.formatHex(bytes);
  }

  @Override
  public void open(String path, int answer, long nanos) {}

  @Override
  public void ioctl(int request, byte[] passed, byte[] left, String file, int answer, long nanos) {
    String reply = Arrays.equals(passed, left) ? UNCHANGED : hex(left);
    line(number(request), answer, hex(passed), reply, file);
  }

  @Override
  public void ioctl(int request, long argument, String file, int answer, long nanos) {
    line(number(request), answer, "int:" + argument, NOTHING, file);
  }

  @Override
  public void read(byte[] read, String file, long answer, long nanos) {
    if (file.startsWith(QUEUE) && answer > 0) {
      line("read", answer, NOTHING, hex(read), file);
    }
  }

  @Override
  public void write(byte[] written, String file, long answer, long nanos) {
    if (file.startsWith(QUEUE)) {
      line("write", answer, hex(written), NOTHING, file);
    }
  }
}
