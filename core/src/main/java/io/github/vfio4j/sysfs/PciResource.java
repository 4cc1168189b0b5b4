package io.github.vfio4j.sysfs;

import io.github.vfio4j.VfioException;
import java.util.List;

/**
 * A range of addresses at which a PCI device answers, as sysfs has it in {@code resource}.
 *
 * @param first the first address; 0 where there is none
 * @param last the last address; 0 where there is none
 * @param flags the kernel's {@code IORESOURCE_} bits
 */
public record PciResource(long first, long last, long flags) {
  private static final long IO = 0x100;
  private static final long PREFETCHABLE = 0x2000;
  private static final long WIDE = 0x100000;
  private static final int FIELDS = 3;
  private static final int HEXADECIMAL = 16;

  static List<PciResource> parse(String object, String text) throws VfioException {
    try {
      return text.lines().map(PciResource::parse).toList();
    } catch (IllegalArgumentException e) {
      throw FileFailure.malformed(object, "resource", text, e);
    }
  }

  private static PciResource parse(String line) {
    String[] fields = line.strip().split(" ", -1);
    if (fields.length != FIELDS) {
      throw new IllegalArgumentException("not three numbers: " + line);
    }
    PciResource resource = new PciResource(number(fields[0]), number(fields[1]), number(fields[2]));
    if (resource.size() < 0) {
      throw new IllegalArgumentException("ends before it starts: " + line);
    }
    return resource;
  }

  private static long number(String field) {
    if (!field.startsWith("0x")) {
      throw new IllegalArgumentException("not a number: " + field);
    }
    return Long.parseUnsignedLong(field.substring(2), HEXADECIMAL);
  }

  /** {@return how many bytes there are, 0 where there is none} */
  public long size() {
    return first == 0 && last == 0 ? 0 : last - first + 1;
  }

  /** {@return whether they are ports, not memory} */
  public boolean isIo() {
    return (flags & IO) != 0;
  }

  /** {@return whether reading has no side effects} */
  public boolean isPrefetchable() {
    return (flags & PREFETCHABLE) != 0;
  }

  /** {@return whether its register has 64 bits} */
  public boolean is64Bit() {
    return (flags & WIDE) != 0;
  }
}
