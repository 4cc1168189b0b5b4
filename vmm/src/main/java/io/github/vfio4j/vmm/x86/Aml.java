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
  private static final int METHOD = 0x14;
  private static final int MULTIPLE = 0x2f;
  private static final int EXTENDED = 0x5b;
  private static final int REGION = 0x80;
  private static final int FIELD = 0x81;
  private static final int ROOT = '\\';
  private static final int LOCAL = 0x60;
  private static final int STORE = 0x70;
  private static final int AND = 0x7b;
  private static final int NOTIFY = 0x86;
  private static final int CREATE_DOUBLE_WORD = 0x8a;
  private static final int LOGICAL_OR = 0x91;
  private static final int IF = 0xa0;
  private static final int RETURN = 0xa4;
  private static final int PORTS = 1;
  private static final int BY_DOUBLE_WORDS = 3;
  private static final int ONE_AT_A_TIME = 8;
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

  /** Gives a name to some ports. */
  Aml region(String name, int port, int size) {
    bytes(EXTENDED, REGION).path(name).bytes(PORTS);
    return number(port).number(size);
  }

  /** Gives names to the double words of a region, from the first one on. */
  Aml fields(String region, String... names) {
    Aml content = new Aml();
    for (String name : names) {
      content.path(name).bytes(Integer.SIZE);
    }
    bytes.write(EXTENDED);
    byte[] head = (region + (char) BY_DOUBLE_WORDS).getBytes(US_ASCII);
    return block(FIELD, head, content.bytes());
  }

  Aml method(String name, int arguments, Aml content) {
    byte[] head = (name + (char) (arguments | ONE_AT_A_TIME)).getBytes(US_ASCII);
    return block(METHOD, head, content.bytes());
  }

  /** Stores a number under a name. */
  Aml store(int value, String name) {
    return bytes(STORE).number(value).path(name);
  }

  /** Stores what is under a name in one of a method's own variables. */
  Aml load(String name, int local) {
    return bytes(STORE).path(name).bytes(LOCAL + local);
  }

  /** Copies a double word that has a name into a buffer, by another name that its place gets. */
  Aml copy(String from, String buffer, int offset, String place) {
    bytes(CREATE_DOUBLE_WORD).path(buffer).number(offset).path(place);
    return bytes(STORE).path(from).path(place);
  }

  /** Tells a device's driver something, if a bit of a variable is set. */
  Aml notifyIf(int local, int bit, String device, int what) {
    Aml content = new Aml();
    content.bytes(AND, LOCAL + local).number(bit).bytes(0);
    content.bytes(NOTIFY).path(device).number(what);
    return block(IF, new byte[0], content.bytes());
  }

  /** Ends a method with a number if one of two is not 0, else with 0. */
  Aml returnIf(String one, String other, int value) {
    Aml content = new Aml().bytes(LOGICAL_OR).path(one).path(other).bytes(RETURN).number(value);
    return block(IF, new byte[0], content.bytes()).bytes(RETURN).number(0);
  }

  Aml returnNamed(String name) {
    return bytes(RETURN).path(name);
  }

  /** Writes a name of four letters, or from the root on some of them. */
  private Aml path(String name) {
    boolean fromRoot = name.charAt(0) == ROOT;
    String segments = fromRoot ? name.substring(1) : name;
    if (fromRoot) {
      bytes(ROOT, MULTIPLE, segments.length() / 4);
    }
    bytes.writeBytes(segments.getBytes(US_ASCII));
    return this;
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

  /**
   * Writes what begins with its own length, its four lowest bits first: two bytes of length, or
   * three.
   */
  private Aml block(int kind, byte[] head, byte[] content) {
    int size = 2 + head.length + content.length;
    if (size < 1 << 12) {
      bytes(kind, 0x40 | (size & 0xf), size >>> 4);
    } else {
      size++;
      bytes(kind, 0x80 | (size & 0xf), size >>> 4, size >>> 12);
    }
    bytes.writeBytes(head);
    bytes.writeBytes(content);
    return this;
  }
}
