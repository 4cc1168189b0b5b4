package io.github.vfio4j.takeover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.VfioException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RunningTextTest {
  private static final RunningIommufd RUNNING =
      new RunningIommufd(
          List.of(
              new RunningIommufd.AddressSpace(
                  1,
                  List.of(new RunningIommufd.Mapping(-4096, 4096, DmaAccess.READ)),
                  List.of(new RunningIommufd.PageTable(5, 6))),
              new RunningIommufd.AddressSpace(2, List.of(), List.of())),
          List.of(
              new RunningIommufd.Device(
                  3,
                  5,
                  5,
                  List.of(new RunningIommufd.Vector(1, 0), new RunningIommufd.Vector(1, 7))),
              new RunningIommufd.Device(4, 0, 0, List.of())));

  private static byte[] written() {
    return RunningText.write(RUNNING, 6, new byte[] {9, 8});
  }

  @Test
  void whatIsWrittenIsRead() throws VfioException {
    RunningText.Whole read = RunningText.read(written(), "socket");

    assertThat(read.running()).isEqualTo(RUNNING);
    assertThat(read.running().fileCount()).isEqualTo(5);
    assertThat(read.memoryCount()).isEqualTo(6);
    assertThat(read.state()).containsExactly(9, 8);
  }

  @Test
  void whatIsCutOrTooLongMakesNoSense() {
    byte[] whole = written();
    for (int size = 0; size < whole.length; size++) {
      byte[] cut = Arrays.copyOf(whole, size);
      assertThatThrownBy(() -> RunningText.read(cut, "socket")).isInstanceOf(VfioException.class);
    }
    assertThatThrownBy(() -> RunningText.read(Arrays.copyOf(whole, whole.length + 1), "socket"))
        .isInstanceOf(VfioException.class);
  }

  @Test
  void nothingButAnExceptionComesOfAnyBytes() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = written();
      for (int j = random.nextInt(4); j >= 0; j--) {
        bytes[4 + random.nextInt(bytes.length - 4)] = (byte) random.nextInt();
      }
      try {
        RunningText.read(bytes, "socket");
      } catch (VfioException e) {
        assertThat(e).hasMessageContaining("socket");
      }
    }
  }
}
