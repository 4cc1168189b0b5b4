package io.github.vfio4j.vmm.x86;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.util.List;

/** Writes the language of ACPI's tables (AML), as far as {@link AcpiNamespace} speaks it. */
final class Aml {
  private static final int NAME = 0x08;
  private static final int BYTE = 0x0a;
  private static final int DOUBLE_WORD = 0x0c;
  private static final int SCOPE = 0x10;
  private static final int BUFFER = 0x11;
  private static final int PACKAGE = 0x12;
  private static final int EXTENDED = 0x5b;
  private static final int DEVICE = 0x82;
  private static final int END_OF_RESOURCES = 0x79;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  byte[] bytes() {
    return bytes.toByteArray();
  }

  Aml scope(String name, Aml content) {
    return block(SCOPE, name.getBytes(US_ASCII), content.bytes());
  }

  Aml device(String name, Aml content) {
    bytes.write(EXTENDED);
    return block(DEVICE, name.getBytes(US_ASCII), content.bytes());
  }

  /** Gives a number a name of four letters. */
  Aml name(String name, int value) {
    return named(name).number(value);
  }

  Aml name(String name, int... values) {
    return named(name).numbers(values);
  }

  /** Gives a name to packages of numbers, 255 of them at most. */
  Aml name(String name, List<int[]> packages) {
    Aml content = new Aml();
    for (int[] numbers : packages) {
      content.numbers(numbers);
    }
    return named(name).block(PACKAGE, new byte[] {(byte) packages.size()}, content.bytes());
  }

  private Aml numbers(int... values) {
    Aml content = new Aml();
    for (int value : values) {
      content.number(value);
    }
    return block(PACKAGE, new byte[] {(byte) values.length}, content.bytes());
  }

  /** Gives a name to what a device is, three letters and four digits. */
  Aml identity(String name, String identity) {
    int vendor = 0;
    for (int i = 0; i < 3; i++) {
      vendor = vendor << 5 | identity.charAt(i) - '@';
    }
    int product = Integer.parseInt(identity.substring(3), 16);
    return named(name).bytes(DOUBLE_WORD, vendor >>> 8, vendor, product >>> 8, product);
  }

  /** Gives a name to the resources of a device, which {@link Resources} describes. */
  Aml resources(String name, Resources resources) {
    byte[] described = resources.bytes();
    Aml content = new Aml().number(described.length + 2);
    content.bytes.writeBytes(described);
    content.bytes(END_OF_RESOURCES, 0);
    return named(name).block(BUFFER, new byte[0], content.bytes());
  }

  private Aml named(String name) {
    bytes.write(NAME);
    bytes.writeBytes(name.getBytes(US_ASCII));
    return this;
  }

  private Aml number(int value) {
    return value >= 0 && value < 1 << Byte.SIZE
        ? bytes(BYTE, value)
        : bytes(DOUBLE_WORD, value, value >>> 8, value >>> 16, value >>> 24);
  }

  private Aml bytes(int... values) {
    for (int value : values) {
      bytes.write(value);
    }
    return this;
  }

  /** Writes what begins with its own length: two bytes, of which four bits are the lowest. */
  private Aml block(int kind, byte[] head, byte[] content) {
    int size = 2 + head.length + content.length;
    if (size >= 1 << 12) {
      throw new IllegalArgumentException("a block of " + size + " bytes");
    }
    bytes(kind, 0x40 | (size & 0xf), size >>> 4);
    bytes.writeBytes(head);
    bytes.writeBytes(content);
    return this;
  }
}
