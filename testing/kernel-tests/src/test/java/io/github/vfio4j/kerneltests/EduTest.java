package io.github.vfio4j.kerneltests;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One driver moves real bytes through the IOMMU, on whichever interface the kernel has. */
@OnMachine(OnMachine.IOMMU)
@Bound(Device.EDU)
class EduTest {
  @ParameterizedTest
  @MethodSource("io.github.vfio4j.kerneltests.Machine#backends")
  void dmaBringsBackEveryByte(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        DmaBuffer buffer = device.addressSpace().allocate(2 * Edu.MEMORY_SIZE);
        Edu edu = Edu.start(device)) {
      MemorySegment sent = buffer.segment().asSlice(0, Edu.MEMORY_SIZE);
      MemorySegment received = buffer.segment().asSlice(Edu.MEMORY_SIZE, Edu.MEMORY_SIZE);
      byte[] pattern = new byte[Edu.MEMORY_SIZE];
      new Random(42).nextBytes(pattern);
      MemorySegment.copy(pattern, 0, sent, JAVA_BYTE, 0, pattern.length);

      edu.copyToDevice(buffer, 0, 0, Edu.MEMORY_SIZE);
      edu.copyFromDevice(0, buffer, Edu.MEMORY_SIZE, Edu.MEMORY_SIZE);

      assertThat(received.mismatch(sent)).isEqualTo(-1);
      assertThat(device.choice().backend()).isEqualTo(backend);
    }
  }

  @ParameterizedTest
  @MethodSource("io.github.vfio4j.kerneltests.Machine#backends")
  void registersComputeAndInterruptsArrive(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        Edu edu = Edu.start(device)) {
      assertThat(edu.identification()).isEqualTo(0x010000ed);
      assertThat(edu.invert(0x12345678)).isEqualTo(~0x12345678);
      assertThat(edu.factorial(10)).isEqualTo(3628800);
      assertThat(edu.raiseInterrupt(0x5a)).isEqualTo(0x5a);
    }
  }
}
