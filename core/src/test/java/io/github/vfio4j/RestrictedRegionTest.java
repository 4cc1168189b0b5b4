package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNoException;

import io.github.vfio4j.fake.DeviceMappings;
import io.github.vfio4j.fake.FakeMachine;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongConsumer;
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
  void aStoreToARegionThatCanOnlyBeReadIsAnException() throws VfioException {
    MappedRegion mapped = device.region(0).map();

    for (ThrowingCallable store : stores(mapped)) {
      assertUnsupported("cannot be written", store);
    }
    for (ThrowingCallable load : loads(mapped)) {
      assertThatNoException().isThrownBy(load);
    }
    assertTheRestIsRefusedAsEver(mapped, at -> mapped.setLong(at, 1));
  }

  @Test
  void aLoadFromARegionThatCanOnlyBeWrittenIsAnException() throws VfioException {
    MappedRegion mapped = device.region(1).map();

    for (ThrowingCallable load : loads(mapped)) {
      assertUnsupported("cannot be read", load);
    }
    for (ThrowingCallable store : stores(mapped)) {
      assertThatNoException().isThrownBy(store);
    }
    assertTheRestIsRefusedAsEver(mapped, mapped::getLong);
  }

  @Test
  void aRegionThatAllowsNeitherIsMappedForNothing() throws VfioException {
    machine.regions.access(2, false, false);
    MappedRegion mapped = device.region(2).map();

    assertUnsupported("cannot be read", () -> mapped.getInt(0));
    assertUnsupported("cannot be written", () -> mapped.setInt(0, 1));
    mapped.close();
    assertThatIllegalStateException().isThrownBy(() -> mapped.getInt(0));
    assertThatIllegalStateException().isThrownBy(() -> mapped.setInt(0, 1));
  }

  private static List<ThrowingCallable> loads(MappedRegion mapped) {
    return List.of(
        () -> mapped.getByte(0),
        () -> mapped.getByteAcquire(0),
        () -> mapped.getShort(0),
        () -> mapped.getShortAcquire(0),
        () -> mapped.getInt(0),
        () -> mapped.getIntAcquire(0),
        () -> mapped.getLong(0),
        () -> mapped.getLongAcquire(0));
  }

  private static List<ThrowingCallable> stores(MappedRegion mapped) {
    return List.of(
        () -> mapped.setByte(0, (byte) 1),
        () -> mapped.setByteRelease(0, (byte) 1),
        () -> mapped.setShort(0, (short) 1),
        () -> mapped.setShortRelease(0, (short) 1),
        () -> mapped.setInt(0, 1),
        () -> mapped.setIntRelease(0, 1),
        () -> mapped.setLong(0, 1),
        () -> mapped.setLongRelease(0, 1));
  }

  private static void assertUnsupported(String what, ThrowingCallable access) {
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(access)
        .withMessageContaining("region")
        .withMessageContaining(what);
  }

  /** What the region does not allow is told apart from what no region allows. */
  private static void assertTheRestIsRefusedAsEver(MappedRegion mapped, LongConsumer access)
      throws VfioException {
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> access.accept(mapped.size()));
    mapped.close();
    assertThatIllegalStateException().isThrownBy(() -> access.accept(0));
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
