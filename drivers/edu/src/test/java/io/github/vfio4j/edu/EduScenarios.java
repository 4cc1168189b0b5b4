package io.github.vfio4j.edu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** What the driver does on every edu: the model on the host, and QEMU's in the lab. */
public final class EduScenarios {
  private EduScenarios() {}

  /** DMA moves every byte there and back. */
  public static void dmaBringsBackEveryByte(VfioDevice device) throws VfioException {
    try (DmaBuffer buffer = device.addressSpace().allocate(2 * Edu.MEMORY_SIZE);
        Edu edu = Edu.start(device)) {
      MemorySegment sent = buffer.segment().asSlice(0, Edu.MEMORY_SIZE);
      MemorySegment received = buffer.segment().asSlice(Edu.MEMORY_SIZE, Edu.MEMORY_SIZE);
      byte[] pattern = new byte[Edu.MEMORY_SIZE];
      new Random(42).nextBytes(pattern);
      MemorySegment.copy(pattern, 0, sent, JAVA_BYTE, 0, pattern.length);

      edu.copyToDevice(buffer, 0, 0, Edu.MEMORY_SIZE);
      edu.copyFromDevice(0, buffer, Edu.MEMORY_SIZE, Edu.MEMORY_SIZE);

      assertThat(received.mismatch(sent)).isEqualTo(-1);
    }
  }

  /** Registers compute, and the interrupt comes with what raised it. */
  public static void registersComputeAndInterruptsArrive(VfioDevice device) throws VfioException {
    try (Edu edu = Edu.start(device)) {
      assertThat(edu.identification()).isEqualTo(0x010000ed);
      assertThat(edu.invert(0x12345678)).isEqualTo(~0x12345678);
      assertThat(edu.factorial(10)).isEqualTo(3628800);
      assertThat(edu.raiseInterrupt(0x5a)).isEqualTo(0x5a);
    }
  }

  /** A driver that had factorials end with an interrupt, and ended before one, is not heard of. */
  public static void interruptsOfAFormerDriverAreNotTold(VfioDevice device) throws VfioException {
    try (MappedRegion registers = device.pci().bar(0).map()) {
      registers.setInt(0x20, 0x80); // an interrupt for each factorial
      registers.setInt(0x60, 0x100); // and another one, never acknowledged
    }
    try (Edu edu = Edu.start(device)) {
      assertThat(edu.factorial(5)).isEqualTo(120);
      assertThat(edu.raiseInterrupt(0x5a)).isEqualTo(0x5a);
    }
  }

  /** Parts of the device's memory are moved, and the rest stays as it is. */
  public static void partsOfTheMemoryAreMoved(VfioDevice device) throws VfioException {
    try (DmaBuffer buffer = device.addressSpace().allocate(Edu.MEMORY_SIZE);
        Edu edu = Edu.start(device)) {
      buffer.segment().fill((byte) 1);
      edu.copyToDevice(buffer, 0, 0, Edu.MEMORY_SIZE);
      buffer.segment().fill((byte) 2);
      edu.copyToDevice(buffer, 100, 1000, 24);
      buffer.segment().fill((byte) 3);

      edu.copyFromDevice(999, buffer, 0, 26);

      byte[] seen = buffer.segment().asSlice(0, 27).toArray(JAVA_BYTE);
      assertThat(seen[0]).isEqualTo((byte) 1);
      assertThat(seen[1]).isEqualTo((byte) 2);
      assertThat(seen[24]).isEqualTo((byte) 2);
      assertThat(seen[25]).isEqualTo((byte) 1);
      assertThat(seen[26]).isEqualTo((byte) 3);
    }
  }

  /** What lies outside of the buffer or the device is refused before the device sees it. */
  public static void rangesAreChecked(VfioDevice device) throws VfioException {
    try (DmaBuffer buffer = device.addressSpace().allocate(Edu.MEMORY_SIZE);
        Edu edu = Edu.start(device)) {
      for (int[] bad :
          new int[][] {{0, 0, 0}, {0, 0, 4097}, {1, 0, 4096}, {0, 1, 4096}, {-1, 0, 1}}) {
        assertThatThrownBy(() -> edu.copyToDevice(buffer, bad[0], bad[1], bad[2]))
            .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> edu.copyFromDevice(bad[1], buffer, bad[0], bad[2]))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
    }
  }

  /** A driver that was closed leaves the device to the next one. */
  public static void theDeviceCanBeStartedAgain(VfioDevice device) throws VfioException {
    for (int round = 0; round < 3; round++) {
      Edu edu = Edu.start(device);
      assertThat(edu.raiseInterrupt(round + 1)).isEqualTo(round + 1);
      edu.close();
      edu.close();
      assertThat(device.pci().config().isBusMaster()).isFalse();
    }
  }
}
