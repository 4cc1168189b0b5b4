package io.github.vfio4j.cli.text;

import java.io.PrintWriter;

/** Where all text goes out: none of it is printed raw. */
public final class PrintableWriter extends PrintWriter {

  private PrintableWriter(PrintWriter out) {
    super(out);
  }

  public static PrintWriter of(PrintWriter out) {
    return out instanceof PrintableWriter ? out : new PrintableWriter(out);
  }

  @Override
  public void write(int character) {
    write(String.valueOf((char) character));
  }

  @Override
  public void write(char[] characters, int offset, int length) {
    write(new String(characters, offset, length));
  }

  @Override
  public void write(String text, int offset, int length) {
    String printable = Printable.text(text.substring(offset, offset + length));
    super.write(printable, 0, printable.length());
  }
}
