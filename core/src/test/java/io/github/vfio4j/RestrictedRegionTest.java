package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.fake.DeviceMappings;
import io.github.vfio4j.fake.FakeMachine;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Regions that can be read or written only, as those of platform devices. */
class RestrictedRegionTest {
  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;

  @BeforeEach
  void open() throws VfioException {
    machine = new FakeMachine(root);
    machine.regions.access(0, true, false);
    machine.regions.access(1, false, true);
    device = machine.open(Backend.CONTAINER);
  }

  @AfterEach
  void close() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void aRegionIsMappedWithTheAccessThatItAllows() throws VfioException {
    MappedRegion readable = device.region(0).map();
    assertThat(machine.deviceMappings.protections()).containsExactly(DeviceMappings.PROT_READ);
    assertThat(readable.getInt(0)).isZero();
    readable.close();

    device.region(1).map();
    assertThat(machine.deviceMappings.protections()).containsExactly(DeviceMappings.PROT_WRITE);
  }

  @Test
  void whatTheRegionDoesNotAllowIsNotAskedOfTheKernel() throws VfioException {
    assertThat(device.region(0).readInt(0)).isZero();
    device.region(1).writeInt(0, 1);

    assertRefused("pwrite", () -> device.region(0).writeInt(0, 1));
    assertRefused("pread", () -> device.region(1).readInt(0));
  }

  private static void assertRefused(String operation, ThrowingCallable access) {
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(access)
        .satisfies(e -> assertThat(e.errno()).isEmpty())
        .withMessageContaining(operation)
        .withMessageContaining("does not allow it");
  }
}
