package io.github.vfio4j.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.sysfs.FakeHost;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.PciResource;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigImageTest {
  @TempDir Path root;

  @Test
  void theHeaderIsTakenApart() throws VfioException {
    ConfigHeader header =
        new Space(256)
            .put(0x00, 0x15218086, 0x00100407, 0x02000001, 0x00800000)
            .put(0x10, 0xfe800000, 0xfe80000c, 0x00000012, 0x0000d001)
            .put(0x2c, 0xa03c8086, 0xfe880001)
            .put(0x3c, 0x0000020b)
            .image()
            .header();

    assertThat(header.vendorId()).isEqualTo(0x8086);
    assertThat(header.deviceId()).isEqualTo(0x1521);
    assertThat(header.classCode()).isEqualTo(0x020000);
    assertThat(header.revision()).isEqualTo(1);
    assertThat(header.multiFunction()).isTrue();
    assertThat(header.subsystemVendorId()).isEqualTo(0x8086);
    assertThat(header.subsystemId()).isEqualTo(0xa03c);
    assertThat(header.interruptPin()).isEqualTo(2);
    assertThat(header.ioEnabled()).isTrue();
    assertThat(header.memoryEnabled()).isTrue();
    assertThat(header.busMaster()).isTrue();
    assertThat(header.intxDisabled()).isTrue();
    OptionalLong unknown = OptionalLong.empty();
    assertThat(header.baseAddresses())
        .containsExactly(
            new BaseAddress(0, BaseAddress.Kind.MEMORY_32, false, 0xfe800000L, unknown),
            new BaseAddress(1, BaseAddress.Kind.MEMORY_64, true, 0x12fe800000L, unknown),
            new BaseAddress(3, BaseAddress.Kind.IO, false, 0xd000, unknown));
    assertThat(header.rom()).contains(new ExpansionRom(0xfe880000L, true, unknown));
  }

  @Test
  void aBridgeHasTwoBaseAddresses() throws VfioException {
    ConfigHeader header =
        new Space(256)
            .put(0x0c, 0x00010000)
            .put(0x10, 0xfe800000, 0xfe80000c, 0x00020100, 0x1)
            .put(0x38, 0xfe880000)
            .image()
            .header();

    assertThat(header.layout()).isEqualTo(1);
    assertThat(header.baseAddresses()).extracting(BaseAddress::number).containsExactly(0, 1);
    assertThat(header.baseAddresses().get(1).address()).isEqualTo(0xfe800000L); // cut by a bridge's
    assertThat(header.rom()).isPresent();
  }

  @Test
  void sizesComeFromSysfsAndSoDoesWhatAVirtualFunctionDoesNotShow() throws VfioException {
    FakeHost host = new FakeHost(root).device("0000:00:06.0");
    host.config("0000:00:06.0", new Space(4096).put(0x00, -1, 0x00100000).bytes());
    host.attribute(
        "0000:00:06.0",
        "resource",
        """
        0x000000c000000000 0x000000c000003fff 0x000000000014220c
        0x0000000000000000 0x0000000000000000 0x0000000000000000
        0x0000000000000000 0x0000000000000000 0x0000000000000000
        0x000000000000c000 0x000000000000c01f 0x0000000000040101
        """);
    PciDevice device = host.sysfs().device(PciAddress.of("0000:00:06.0"));

    ConfigImage image = ConfigImage.of(device);

    assertThat(image.size()).isEqualTo(4096);
    assertThat(image.header().vendorId()).isEqualTo(0xffff);
    assertThat(image.header().baseAddresses())
        .containsExactly(
            new BaseAddress(0, BaseAddress.Kind.MEMORY_64, true, 0, OptionalLong.of(0x4000)),
            new BaseAddress(3, BaseAddress.Kind.IO, false, 0, OptionalLong.of(0x20)));
    assertThat(device.resources().getFirst())
        .isEqualTo(new PciResource(0xc000000000L, 0xc000003fffL, 0x14220c));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0x0 0x1",
        "0x0 0x1 0x2 0x3",
        "0x0 0x1 x",
        "0x5 0x1 0x200",
        "",
        "0x0 0xfffffffffffffffff 0x0"
      })
  void resourcesThatMakeNoSenseAreRefused(String line) throws VfioException {
    FakeHost host = new FakeHost(root).device("0000:00:06.0");
    host.attribute("0000:00:06.0", "resource", "0x0 0x0 0x0\n" + line + "\n0x0 0x0 0x0");
    PciDevice device = host.sysfs().device(PciAddress.of("0000:00:06.0"));

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(device::resources)
        .withMessageContaining("makes no sense");
  }

  @Test
  void anOpenDeviceShowsItsSizes() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.CONTAINER)) {
      ConfigImage image = ConfigImage.of(device);

      assertThat(image.size()).isEqualTo(4096);
      assertThat(image.header().baseAddresses())
          .hasSize(6)
          .allSatisfy(bar -> assertThat(bar.size()).hasValue(8192));
      assertThat(image.capabilities()).isEmpty();
    }
  }

  @Test
  void aDeviceThatAnswersAllOnesHasGone() {
    byte[] ones = new byte[4096];
    Arrays.fill(ones, (byte) -1);

    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> ConfigImage.of("0000:00:05.0", ones))
        .withMessageContaining("does not answer");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ConfigImage.of("0000:00:05.0", new byte[63]));
  }

  @Test
  void whoSeesTheHeaderAloneIsToldSo() throws VfioException {
    byte[] bytes = new Space(256).capability(0x40, 0x0005).bytes();
    ConfigImage header = ConfigImage.of("0000:00:05.0", Arrays.copyOf(bytes, 64));

    assertThat(header.showsCapabilities()).isFalse();
    assertThatExceptionOfType(NotPermittedException.class)
        .isThrownBy(header::capabilities)
        .withMessageContaining("only root");
    assertThat(new Space(64).image().capabilities()).isEmpty();
  }

  @Test
  void conventionalCapabilitiesAreTakenApart() throws VfioException {
    ConfigImage image =
        new Space(256)
            .capability(0x40, 0x06235001, 0x00000008)
            .put(0x50, 0x018a7005, 0xfee00000, 0, 0, 0, 0)
            .put(0x70, 0x8003a011, 0x00002003, 0x00003004)
            .put(0xa0, 0x0002e010, 0x10008fc2, 0x00002830, 0x00000012 | 0x5 << 24)
            .put(0xb0, 0x00110000, 0, 0, 0, 0, 0x00000380)
            .put(0xe0, 0x0008f009, 0x44332211)
            .put(0xf0, 0x0000f803)
            .put(0xf8, 0x00000000 | 0x13)
            .image();

    assertThat(image.capabilities())
        .containsExactly(
            new PowerManagementCapability(0x40, 3, true, true, 0, 0, true),
            new MsiCapability(0x50, false, 32, 1, true, true),
            new MsixCapability(0x70, 4, true, false, 3, 0x2000, 4, 0x3000),
            new PciExpressCapability(
                0xa0,
                2,
                0,
                true,
                512,
                256,
                512,
                Optional.of(new PciExpressCapability.Link(2, 1, 1, 1)),
                true,
                true,
                true),
            new VendorCapability(0xe0, ByteBuffer.wrap(new byte[] {0, 0x11, 0x22, 0x33, 0x44})),
            new VpdCapability(0xf0),
            new OtherCapability(0x13, 0xf8, false, 0, ByteBuffer.wrap(new byte[6])));
    assertThat(image.find(MsixCapability.class)).map(MsixCapability::vectors).contains(4);
    assertThat(image.find(AerCapability.class)).isEmpty();
  }

  @Test
  void extendedCapabilitiesAreTakenApart() throws VfioException {
    ConfigImage image =
        new Space(4096)
            .put(0x100, 0x14020001, 0x00114000, 0, 0x00462030, 0x00002001, 0, 0, 1, 2, 3, 4)
            .put(0x140, 0x15010003, 0x55667788, 0x11223344)
            .put(0x150, 0x1a01000b, 0x00c21234, 0xdeadbeef)
            .put(0x1a0, 0x1f010010, 0, 0x00000009, 0x00080008, 0x00000002, 0x00020080, 0x10ca0000)
            .put(0x1bc, 0x553, 1, 0xfe00000c, 0, 0, 0xfe10000c, 0, 0)
            .put(0x1f0, 0x2001000f, 0x80000020)
            .put(0x200, 0x21010013, 0x81000001, 64, 32)
            .put(0x210, 0x2201001b, 0x00011402)
            .put(0x220, 0x24010015, 0x00000030, 0x00000142, 0x00000010, 0x00000820 | 0x40)
            .put(0x240, 0x0001000d, 0x12345678)
            .image();

    List<PciCapability> found = image.capabilities();

    AerCapability aer = (AerCapability) found.get(0);
    assertThat(aer.uncorrectable())
        .containsExactly(
            AerCapability.Uncorrectable.COMPLETION_TIMEOUT,
            AerCapability.Uncorrectable.UNEXPECTED_COMPLETION,
            AerCapability.Uncorrectable.UNSUPPORTED_REQUEST);
    assertThat(aer.correctable())
        .containsExactly(
            AerCapability.Correctable.RECEIVER, AerCapability.Correctable.ADVISORY_NON_FATAL);
    assertThat(aer.headerLog()).containsExactly(1, 2, 3, 4);
    assertThat(found.get(1)).isEqualTo(new SerialNumberCapability(0x140, 0x1122334455667788L));
    assertThat(found.get(2))
        .isEqualTo(
            new VendorExtendedCapability(
                0x150,
                1,
                0x1234,
                2,
                ByteBuffer.wrap(new byte[] {(byte) 0xef, (byte) 0xbe, (byte) 0xad, (byte) 0xde})));
    SriovCapability sriov = (SriovCapability) found.get(3);
    assertThat(sriov.enabled()).isTrue();
    assertThat(sriov.memoryEnabled()).isTrue();
    assertThat(sriov.totalFunctions()).isEqualTo(8);
    assertThat(sriov.functions()).isEqualTo(2);
    assertThat(sriov.firstOffset()).isEqualTo(0x80);
    assertThat(sriov.stride()).isEqualTo(2);
    assertThat(sriov.functionDeviceId()).isEqualTo(0x10ca);
    assertThat(found.get(4)).isEqualTo(new AtsCapability(0x1f0, 1, 32, true, true, 4096));
    assertThat(found.get(5))
        .isEqualTo(new PriCapability(0x200, 1, true, true, false, true, 64, 32));
    assertThat(found.get(6)).isEqualTo(new PasidCapability(0x210, 1, 20, true, false, true));
    assertThat(((ResizableBarCapability) found.get(7)).bars())
        .containsExactly(
            new ResizableBarCapability.Bar(2, 0b11, 2 << 20),
            new ResizableBarCapability.Bar(0, 0b1, 256 << 20));
    assertThat(found.get(8)).isInstanceOf(OtherCapability.class);
    assertThat(found).hasSize(9);
  }

  @ParameterizedTest
  @CsvSource({"0x05,0xf8", "0x11,0xf8", "0x01,0xfc", "0x10,0xf8", "0x09,0xfc"})
  void aCapabilityThatReachesOutOfItsSpaceIsRefused(String id, String at) throws VfioException {
    ConfigImage image =
        new Space(256).capability(Integer.decode(at), Integer.decode(id) | 0x01ff0000).image();

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(image::capabilities)
        .withMessageContaining("reaches out of its space");
  }
}
