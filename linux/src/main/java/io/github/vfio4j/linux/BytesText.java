package io.github.vfio4j.linux;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/** Bytes in a line: quoted where they are text, in hexadecimal where they are not. */
final class BytesText {
  private static final int MOST = 64;

  private BytesText() {}

  static String of(byte[] bytes) {
    byte[] start = Arrays.copyOf(bytes, Math.min(bytes.length, MOST));
    String text = new String(start, StandardCharsets.ISO_8859_1).replaceFirst("[\\n\\x00]$", "");
    boolean isText = !text.isEmpty() && text.chars().allMatch(c -> c >= ' ' && c <= '~');
    String shown = isText ? '"' + text + '"' : HexFormat.of().formatHex(start);
    return shown + (bytes.length > MOST ? "..." : "");
  }
}
