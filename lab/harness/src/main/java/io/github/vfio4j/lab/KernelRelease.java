package io.github.vfio4j.lab;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The version of a Linux kernel, ordered as kernels are released.
 *
 * @param version the first number
 * @param patchlevel the second number
 * @param sublevel the third number, 0 if there is none
 */
public record KernelRelease(int version, int patchlevel, int sublevel)
    implements Comparable<KernelRelease> {
  private static final Pattern FORMAT = Pattern.compile("(\\d+)\\.(\\d+)(?:\\.(\\d+))?.*");

  /**
   * Reads a release as the kernel writes it.
   *
   * @param text such as {@code 6.12} or {@code 7.3.4-amd64}
   * @return the release
   * @throws IllegalArgumentException if it is none
   */
  public static KernelRelease parse(String text) {
    Matcher matcher = FORMAT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("not a kernel release: " + text);
    }
    String third = matcher.group(3);
    return new KernelRelease(
        Integer.parseInt(matcher.group(1)),
        Integer.parseInt(matcher.group(2)),
        third == null ? 0 : Integer.parseInt(third));
  }

  @Override
  public int compareTo(KernelRelease other) {
    return Arrays.compare(
        new int[] {version, patchlevel, sublevel},
        new int[] {other.version, other.patchlevel, other.sublevel});
  }

  @Override
  public String toString() {
    return version + "." + patchlevel + "." + sublevel;
  }
}
