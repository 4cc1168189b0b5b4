package io.github.vfio4j.lab;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class AcpiTableTest {
  private static final int SMMU = 48;
  private static final int ROOT_COMPLEX = 68;
  private static final int MAPPINGS = ROOT_COMPLEX + 36;

  private static ByteBuffer table(String signature, int size) {
    ByteBuffer table = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    table.put(0, signature.getBytes(ISO_8859_1)).putInt(4, size).putInt(24, 7);
    return table;
  }

  private static byte[] sealed(ByteBuffer table) {
    table.put(9, (byte) (table.get(9) - sum(table)));
    byte[] bytes = new byte[table.limit()];
    table.get(0, bytes);
    return bytes;
  }

  private static byte sum(ByteBuffer table) {
    byte sum = 0;
    for (int i = 0; i < table.limit(); i++) {
      sum += table.get(i);
    }
    return sum;
  }

  /** One SMMU, and a root complex that sends a part of its devices past it. */
  private static ByteBuffer iort() {
    ByteBuffer iort = table("IORT", MAPPINGS + 40).putInt(36, 2).putInt(40, SMMU);
    iort.put(SMMU, (byte) 4).putShort(SMMU + 1, (short) 20);
    iort.put(ROOT_COMPLEX, (byte) 2).putShort(ROOT_COMPLEX + 1, (short) 76);
    iort.putInt(ROOT_COMPLEX + 8, 2).putInt(ROOT_COMPLEX + 12, 36);
    iort.put(ROOT_COMPLEX + 23, (byte) 3);
    iort.putInt(MAPPINGS, 0x300).putInt(MAPPINGS + 12, ROOT_COMPLEX);
    iort.putInt(MAPPINGS + 20 + 4, 0x2ff).putInt(MAPPINGS + 20 + 12, SMMU);
    return iort;
  }

  private static ByteBuffer changed(byte[] original) {
    return ByteBuffer.wrap(AcpiTable.changed(original)).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Test
  void changedTableIsValidAndNewer() {
    ByteBuffer changed = changed(sealed(iort()));

    assertThat(sum(changed)).isZero();
    assertThat(changed.getInt(24)).isEqualTo(8);
  }

  @Test
  void everyDeviceGoesThroughTheSmmuAndStaysCoherent() {
    ByteBuffer changed = changed(sealed(iort()));

    assertThat(changed.get(ROOT_COMPLEX + 23)).isEqualTo((byte) 7);
    assertThat(changed.getInt(ROOT_COMPLEX + 8)).isEqualTo(1);
    assertThat(changed.getInt(MAPPINGS)).isZero();
    assertThat(changed.getInt(MAPPINGS + 4)).isEqualTo(0xffff);
    assertThat(changed.getInt(MAPPINGS + 12)).isEqualTo(SMMU);
  }

  @Test
  void amdIommuAnnouncesWhatNestingAndDirtyTrackingNeed() {
    ByteBuffer ivrs = table("IVRS", 128);
    ivrs.put(48, (byte) 0x10).putShort(50, (short) 40);
    ivrs.put(88, (byte) 0x11).putShort(90, (short) 40).putLong(112, 1);

    ByteBuffer changed = changed(sealed(ivrs));

    assertThat(changed.getLong(112)).isEqualTo(0x0011_0000_0000_0011L);
    assertThat(changed.getLong(120)).isEqualTo(8);
    assertThat(changed.getLong(72)).isZero();
  }

  @Test
  void whatIsNoTableIsRefused() {
    byte[] broken = sealed(iort());
    broken[50]++;

    assertThatIllegalArgumentException().isThrownBy(() -> AcpiTable.changed(broken));
    assertThatIllegalArgumentException().isThrownBy(() -> AcpiTable.changed(new byte[0]));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AcpiTable.changed(sealed(table("DSDT", 64))))
        .withMessageContaining("DSDT");
  }

  @Test
  void initrdHoldsTheTableWhereLinuxLooksForIt() {
    byte[] table = sealed(iort());

    String archive = new String(AcpiTable.initrd(table), ISO_8859_1);

    String size = "%08X".formatted(table.length);
    assertThat(archive).startsWith("070701").contains("kernel/firmware/acpi/iort.aml\0");
    assertThat(archive.substring(54, 62)).isEqualTo(size);
    assertThat(archive.indexOf("IORT") % 4).isZero();
    assertThat(archive.indexOf(new String(table, ISO_8859_1))).isPositive();
    assertThat(archive).contains("TRAILER!!!");
  }
}
