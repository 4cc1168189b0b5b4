package io.github.vfio4j.lab;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;

/**
 * A table of a machine's firmware, changed so that Linux uses what QEMU emulates and does not
 * announce. Linux takes it instead of the firmware's if it finds it in an initrd.
 */
public final class AcpiTable {
  private static final int CHECKSUM = 9;
  private static final int OEM_REVISION = 24;
  private static final int HEADER_SIZE = 36;

  private static final int IORT_ROOT_COMPLEX = 2;
  private static final int IORT_SMMU_V3 = 4;
  private static final int IORT_ID_MAPPING_SIZE = 20;

  /** The root complex's DMA is coherent even where a mapping says otherwise. */
  private static final int IORT_CANWBS = 1 << 2;

  private static final int IVRS_BLOCKS = 48;
  private static final int IVRS_IOMMU_WITH_FEATURES = 0x11;

  /** Guest translation, its capability bits, and dirty bits in the host's tables. */
  private static final long IVRS_FEATURES = 1L << 4 | 1L << 48 | 1L << 52;

  /** The guest's table of PASIDs is at an address of the guest. */
  private static final long IVRS_FEATURES_2 = 1L << 3;

  private AcpiTable() {}

  /**
   * Reads a table as it is in {@code /sys/firmware/acpi/tables} from standard input, and writes the
   * initrd with the changed one to standard output.
   *
   * @param arguments none
   * @throws IOException if the one cannot be read or the other not written
   */
  public static void main(String[] arguments) throws IOException {
    System.out.write(initrd(changed(System.in.readAllBytes())));
    System.out.flush();
  }

  static byte[] changed(byte[] original) {
    byte[] bytes = original.clone();
    ByteBuffer table = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (table.limit() < HEADER_SIZE || table.getInt(4) != table.limit() || sum(original) != 0) {
      throw new IllegalArgumentException("this is no ACPI table");
    }
    switch (signature(original)) {
      case "IORT" -> allowNesting(table);
      case "IVRS" -> announceFeatures(table);
      default -> throw new IllegalArgumentException("nothing to change in " + signature(original));
    }
    table.putInt(OEM_REVISION, table.getInt(OEM_REVISION) + 1); // Linux takes only a newer one
    bytes[CHECKSUM] -= sum(bytes);
    return bytes;
  }

  /** Linux nests only where DMA stays coherent whatever the inner table says of a page. */
  private static void allowNesting(ByteBuffer iort) {
    int node = iort.getInt(40);
    for (int left = iort.getInt(36); left > 0; left--) {
      if (iort.get(node) == IORT_ROOT_COMPLEX) {
        iort.put(node + 23, (byte) (iort.get(node + 23) | IORT_CANWBS));
        sendEveryDeviceThroughTheSmmu(iort, node);
      }
      node += Short.toUnsignedInt(iort.getShort(node + 1));
    }
  }

  /** QEMU lists only the buses that it knew; virtual functions may come on others. */
  private static void sendEveryDeviceThroughTheSmmu(ByteBuffer iort, int node) {
    int first = node + iort.getInt(node + 12);
    for (int i = 0; i < iort.getInt(node + 8); i++) {
      int smmu = iort.getInt(first + i * IORT_ID_MAPPING_SIZE + 12);
      if (iort.get(smmu) == IORT_SMMU_V3) {
        iort.putInt(node + 8, 1);
        iort.putInt(first, 0);
        iort.putInt(first + 4, 0xffff);
        iort.putInt(first + 8, 0);
        iort.putInt(first + 12, smmu);
        return;
      }
    }
    throw new IllegalArgumentException("the root complex is not behind an SMMUv3");
  }

  /** QEMU's AMD IOMMU lets Linux set up what these features are for, it only does not use it. */
  private static void announceFeatures(ByteBuffer ivrs) {
    int block = IVRS_BLOCKS;
    while (block < ivrs.limit()) {
      if (ivrs.get(block) == IVRS_IOMMU_WITH_FEATURES) {
        ivrs.putLong(block + 24, ivrs.getLong(block + 24) | IVRS_FEATURES);
        ivrs.putLong(block + 32, ivrs.getLong(block + 32) | IVRS_FEATURES_2);
      }
      block += Short.toUnsignedInt(ivrs.getShort(block + 2));
    }
  }

  private static String signature(byte[] table) {
    return new String(table, 0, 4, US_ASCII);
  }

  private static byte sum(byte[] bytes) {
    byte sum = 0;
    for (byte each : bytes) {
      sum += each;
    }
    return sum;
  }

  /** A cpio archive in the format {@code newc}, with the table where Linux looks for it. */
  static byte[] initrd(byte[] table) {
    String name = signature(table).toLowerCase(Locale.ROOT);
    var archive = new ByteArrayOutputStream();
    append(archive, "kernel/firmware/acpi/" + name + ".aml", table);
    append(archive, "TRAILER!!!", new byte[0]);
    return archive.toByteArray();
  }

  private static void append(ByteArrayOutputStream archive, String name, byte[] content) {
    int[] fields = {0, 0100644, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length() + 1, 0};
    archive.writeBytes("070701".getBytes(US_ASCII));
    for (int field : fields) {
      archive.writeBytes("%08X".formatted(field).getBytes(US_ASCII));
    }
    archive.writeBytes(name.getBytes(US_ASCII));
    archive.write(0);
    pad(archive);
    archive.writeBytes(content);
    pad(archive);
  }

  private static void pad(ByteArrayOutputStream archive) {
    while (archive.size() % 4 != 0) {
      archive.write(0);
    }
  }
}
