package io.github.vfio4j.vmm.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinuxBootTest {
  private static final long MIB = 1 << 20;

  @TempDir private Path directory;

  /** A header as the protocol wants it, and 1024 bytes of code. */
  private final byte[] image = new byte[3 * 512 + 1024];

  private final ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);

  private KernelImage kernel() throws IOException {
    bytes.put(0x1f1, (byte) 2);
    bytes.put(0x201, (byte) 0x6a);
    bytes.putInt(0x202, 0x53726448);
    bytes.putShort(0x206, (short) 0x20f);
    bytes.putInt(0x22c, 0x7fffffff);
    bytes.putShort(0x236, (short) 1);
    bytes.putInt(0x238, 2047);
    bytes.putLong(0x258, 16 * MIB);
    bytes.putInt(0x260, (int) (20 * MIB));
    bytes.put(3 * 512, (byte) 0x42);
    return read();
  }

  private KernelImage read() throws IOException {
    return KernelImage.read(Files.write(directory.resolve("kernel"), image));
  }

  @Test
  void headerSaysWhereThingsGo() throws IOException {
    KernelImage kernel = kernel();
    assertThat(kernel.start()).isEqualTo(16 * MIB);
    assertThat(kernel.end()).isEqualTo(36 * MIB);
    assertThat(kernel.entry()).isEqualTo(16 * MIB + 0x200);
    assertThat(kernel.parts()).hasSize(1);
    assertThat(kernel.parts().getFirst().address()).isEqualTo(16 * MIB);
    assertThat(kernel.parts().getFirst().bytes().remaining()).isEqualTo(1024);
    assertThat(kernel.parts().getFirst().bytes().get(0)).isEqualTo((byte) 0x42);
    assertThat(kernel.header()).hasSize(0x202 + 0x6a - 0x1f1).startsWith(2);
  }

  @Test
  void whatIsNoKernelOfThisKindIsRefused() throws IOException {
    kernel();
    bytes.putShort(0x236, (short) 2);
    assertThatThrownBy(this::read)
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("no 64-bit entry");
    bytes.putInt(0x202, 0);
    assertThatThrownBy(this::read).hasMessageContaining("not a kernel for x86");
    kernel();
    bytes.put(0x1f1, (byte) 200);
    assertThatThrownBy(this::read).hasMessageContaining("ends before its code");
  }

  /** An ELF file of one segment. */
  private void linked(long offset, long address, long size) {
    bytes.putInt(0, 0x464c457f).putShort(4, (short) 0x102).putShort(0x12, (short) 62);
    bytes.putLong(0x18, address + 0x40).putLong(0x20, 0x40);
    bytes.putShort(0x36, (short) 0x38).putShort(0x38, (short) 1);
    bytes.putInt(0x40, 1).putLong(0x48, offset).putLong(0x58, address);
    bytes.putLong(0x60, size).putLong(0x68, 3 * MIB);
  }

  @Test
  void kernelThatIsNotPackedIsLoadedByItsSegments() throws IOException {
    linked(1024, 16 * MIB, 512);
    bytes.put(1024, (byte) 0x42);
    KernelImage kernel = read();
    assertThat(kernel.start()).isEqualTo(16 * MIB);
    assertThat(kernel.end()).isEqualTo(19 * MIB);
    assertThat(kernel.entry()).isEqualTo(16 * MIB + 0x40);
    assertThat(kernel.parts().getFirst().address()).isEqualTo(16 * MIB);
    assertThat(kernel.parts().getFirst().bytes().remaining()).isEqualTo(512);
    assertThat(kernel.parts().getFirst().bytes().get(0)).isEqualTo((byte) 0x42);
    assertThat(kernel.header()).containsSubsequence(0x55, 0xaa, 'H', 'd', 'r', 'S');
  }

  @Test
  void segmentsOutsideOfTheFileAreRefused() {
    linked(image.length - 511, 16 * MIB, 512);
    assertThatThrownBy(this::read).hasMessageContaining("it ends before its segments do");
    linked(-1, 16 * MIB, 512);
    assertThatThrownBy(this::read).hasMessageContaining("it ends before its segments do");
    linked(0, -4096, 512);
    assertThatThrownBy(this::read).hasMessageContaining("where no memory is");
    linked(0, 16 * MIB, 512);
    bytes.putLong(0x20, Long.MAX_VALUE);
    assertThatThrownBy(this::read).hasMessageContaining("list of segments is not in it");
    linked(0, 16 * MIB, 512);
    bytes.putInt(0x40, 2);
    assertThatThrownBy(this::read).hasMessageContaining("nothing to load");
  }

  @Test
  void kernelAndInitrdNeedRoomBesideEachOther() throws IOException {
    KernelImage kernel = kernel();
    byte[] initrd = new byte[(int) (4 * MIB)];
    LinuxBoot boot = new LinuxBoot(kernel, initrd, "quiet", 40 * MIB, 0);
    assertThat(boot.entry()).isEqualTo(kernel.entry());
    assertThatThrownBy(() -> new LinuxBoot(kernel, initrd, "quiet", 39 * MIB, 0))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("0x400000 bytes for its initrd");
  }

  @Test
  void commandLineIsAsLongAsTheKernelTakes() throws IOException {
    KernelImage kernel = kernel();
    assertThat(new LinuxBoot(kernel, new byte[0], "x".repeat(2047), 64 * MIB, 0)).isNotNull();
    assertThatThrownBy(() -> new LinuxBoot(kernel, new byte[0], "x".repeat(2048), 64 * MIB, 0))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("2047 bytes, not 2048");
  }
}
