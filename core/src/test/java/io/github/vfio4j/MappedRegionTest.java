package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.fake.FakeRegions;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MappedRegionTest {
  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;
  private MappedRegion mapped;

  @BeforeEach
  void map() throws VfioException {
    machine = new FakeMachine(root);
    device = machine.open(Backend.IOMMUFD);
    mapped = device.region(0).map();
  }

  @AfterEach
  void close() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void everyWidthIsLittleEndianAndOfItsOwnSize() {
    mapped.setLong(0, 0x1122334455667788L);

    assertThat(mapped.getByte(0)).isEqualTo((byte) 0x88);
    assertThat(mapped.getShort(2)).isEqualTo((short) 0x5566);
    assertThat(mapped.getInt(4)).isEqualTo(0x11223344);
    mapped.setByte(7, (byte) 0xaa);
    mapped.setShort(4, (short) 0xbbbb);
    mapped.setInt(0, 0xcccccccc);
    assertThat(mapped.getLong(0)).isEqualTo(0xaa22bbbbccccccccL);
    mapped.setLongRelease(8, -2);
    mapped.setIntRelease(16, -3);
    mapped.setShortRelease(20, (short) -4);
    mapped.setByteRelease(22, (byte) -5);
    assertThat(mapped.getLongAcquire(8)).isEqualTo(-2);
    assertThat(mapped.getIntAcquire(16)).isEqualTo(-3);
    assertThat(mapped.getShortAcquire(20)).isEqualTo((short) -4);
    assertThat(mapped.getByteAcquire(22)).isEqualTo((byte) -5);
  }

  @Test
  void theLastBytesCanBeReached() {
    mapped.setByte(FakeRegions.SIZE - 1, (byte) 1);

    assertThat(mapped.getLong(FakeRegions.SIZE - 8)).isEqualTo(1L << 56);
  }

  @Test
  void offsetsOutsideAreRefused() {
    for (ThrowingCallable access :
        List.<ThrowingCallable>of(
            () -> mapped.getByte(FakeRegions.SIZE),
            () -> mapped.getLong(FakeRegions.SIZE),
            () -> mapped.setInt(-4, 0),
            () -> mapped.getLong(Long.MIN_VALUE),
            () -> mapped.setLong(Long.MAX_VALUE - 7, 0))) {
      assertThatThrownBy(access)
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining("0x2000 bytes");
    }
  }

  @Test
  void offsetsOffTheirWidthAreRefused() {
    for (ThrowingCallable access :
        List.<ThrowingCallable>of(
            () -> mapped.getShort(1),
            () -> mapped.getInt(2),
            () -> mapped.getLong(4),
            () -> mapped.setLongRelease(12, 0))) {
      assertThatThrownBy(access)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is not a multiple of");
    }
  }

  @Test
  void accessAfterClosingIsRefused() throws VfioException {
    mapped.close();
    mapped.close();

    assertThatThrownBy(() -> mapped.getInt(0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> mapped.setInt(1, 0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void closingTheDeviceClosesTheMapping() throws VfioException {
    device.close();

    assertThatThrownBy(() -> mapped.getInt(0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void accessesThatRaceWithClosingNeitherCrashNorReachTheDevice() throws Exception {
    AtomicBoolean refused = new AtomicBoolean();
    Thread reader =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    while (true) {
                      mapped.setInt(0, mapped.getInt(4) + 1);
                    }
                  } catch (IllegalStateException closed) {
                    refused.set(true);
                  }
                });
    Thread.sleep(50);

    mapped.close();

    reader.join();
    assertThat(refused).isTrue();
  }

  @Test
  void closingNeedsNoMemoryOfTheSizeOfTheRegion() throws VfioException {
    mapped.setInt(0, 42);
    machine.deviceMappings.doNotOvercommit(4096);

    mapped.close();

    assertThat(machine.deviceMappings.protections()).isEmpty();
  }

  @Test
  void closingNeedsNoDescriptor() throws VfioException {
    mapped.setInt(0, 42);
    machine.kernel.noMoreFiles(Errno.EMFILE);

    mapped.close();

    assertThat(machine.deviceMappings.protections()).isEmpty();
    assertThatIllegalStateException().isThrownBy(() -> mapped.getInt(0));
  }

  @Test
  void aRefusedClosingLeavesTheMappingAsItWas() throws VfioException {
    mapped.setInt(0, 42);
    machine.kernel.failCall(1, Errno.ENOMEM);

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(mapped::close)
        .withMessageContaining("mmap on the mapping of region 0")
        .withMessageContaining("ENOMEM");

    assertThat(mapped.getInt(0)).isEqualTo(42);
    assertThat(machine.deviceMappings.protections()).hasSize(1);
    mapped.close();
    assertThat(machine.deviceMappings.protections()).isEmpty();
    assertThatIllegalStateException().isThrownBy(() -> mapped.getInt(0));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void closingTheDeviceAgainClosesWhatWasRefused(Backend backend) throws VfioException {
    device.close();
    VfioDevice held = machine.open(backend);
    held.region(0).map();
    machine.deviceMappings.keep(true);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(held::close)
        .withMessageContaining("the mapping of region 0");
    assertThat(held.isClosed()).isTrue();
    assertThat(machine.kernel.leftOpen()).hasSize(1);
    assertThatExceptionOfType(VfioException.class).isThrownBy(held::close);

    machine.deviceMappings.keep(false);
    held.close();

    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void aRefusedMappingUnmapsNothingThatMayBeAnotherThreads() throws VfioException {
    machine.deviceMappings.refuse(Errno.EAGAIN);

    assertThatThrownBy(() -> device.region(1).map())
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("EAGAIN");

    assertThat(machine.deviceMappings.neighbourUnmapped()).isFalse();
  }

  @Test
  void aPlaceThatAnotherThreadTakesFirstIsLeftToIt() throws VfioException {
    machine.deviceMappings.collide(3);
    try (MappedRegion elsewhere = device.region(1).map()) {
      elsewhere.setInt(0, 42);
      assertThat(elsewhere.getInt(0)).isEqualTo(42);
    }

    machine.deviceMappings.collide(Integer.MAX_VALUE);
    assertThatThrownBy(() -> device.region(1).map())
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("EEXIST");
  }

  @Test
  void onlyWholePagesInsideTheRegionCanBeMapped() throws VfioException {
    Region region = device.region(1);

    assertThatThrownBy(() -> region.map(1, 4096)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> region.map(0, 100)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> region.map(4096, 8192)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> region.map(Long.MAX_VALUE - 4095, 4096))
        .isInstanceOf(IndexOutOfBoundsException.class);
    try (MappedRegion half = region.map(4096, 4096)) {
      assertThat(half.offset()).isEqualTo(4096);
      assertThatThrownBy(() -> half.getInt(4096)).isInstanceOf(IndexOutOfBoundsException.class);
    }
  }
}
