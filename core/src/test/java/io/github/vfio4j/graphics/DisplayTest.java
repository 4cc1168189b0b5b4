package io.github.vfio4j.graphics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_gfx_plane_info;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.fake.FakeRegions;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a device says of its display is believed only where it is possible. */
class DisplayTest {
  private static final int XR24 = 0x34325258;

  @TempDir Path root;
  private FakeMachine machine;

  @BeforeEach
  void makeMachine() throws VfioException {
    machine = new FakeMachine(root);
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private void show(int kind, int width, int height, int stride, int size, int number) {
    machine.display.show(
        kind,
        reply -> {
          vfio_device_gfx_plane_info.drm_format(reply, XR24);
          vfio_device_gfx_plane_info.width(reply, width);
          vfio_device_gfx_plane_info.height(reply, height);
          vfio_device_gfx_plane_info.stride(reply, stride);
          vfio_device_gfx_plane_info.size(reply, size);
          vfio_device_gfx_plane_info.x_hot(reply, -1);
          vfio_device_gfx_plane_info.y_hot(reply, -1);
          vfio_device_gfx_plane_info.region_index(reply, number);
        });
  }

  @Test
  void deviceWithoutOneHasNone() throws VfioException {
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThat(Display.of(device)).isEmpty();
    }
  }

  /** The region may be one that the device does not count, as that of Linux's sample. */
  @Test
  void planeInARegionIsReadAsLongAsItIsOpen() throws VfioException {
    show(vfio_h.VFIO_GFX_PLANE_TYPE_REGION, 8, 4, 32, 4096, FakeRegions.NAMED);
    try (VfioDevice device = machine.open(Backend.CONTAINER)) {
      Display display = Display.of(device).orElseThrow();
      assertThat(display.kinds()).containsExactly(PlaneKind.REGION);
      Plane plane = display.plane(PlaneType.PRIMARY).orElseThrow();
      assertThat(plane.formatName()).isEqualTo("XR24");
      assertThat(plane.hotSpot()).isEmpty();
      PlaneMemory memory = display.open(plane);
      memory.read(4090, MemorySegment.ofArray(new byte[6]));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> memory.read(4091, MemorySegment.ofArray(new byte[6])));

      memory.close();
      memory.close();

      assertThatIllegalStateException()
          .isThrownBy(() -> memory.read(0, MemorySegment.ofArray(new byte[6])));
      assertThat(machine.deviceMappings.protections()).isEmpty();
    }
  }

  @Test
  void planeInAFileEndsWithItsDevice() throws VfioException {
    show(vfio_h.VFIO_GFX_PLANE_TYPE_DMABUF, 8, 4, 32, 4096, 3);
    VfioDevice device = machine.open(Backend.IOMMUFD);
    Display display = Display.of(device).orElseThrow();
    PlaneMemory memory = display.open(display.plane(PlaneType.PRIMARY).orElseThrow());
    memory.read(0, MemorySegment.ofArray(new byte[4096]));
    assertThat(memory.dmaBuf().orElseThrow().fd()).isPositive();

    device.close();

    assertThatIllegalStateException()
        .isThrownBy(() -> memory.read(0, MemorySegment.ofArray(new byte[6])));
    assertThatIllegalStateException().isThrownBy(() -> display.plane(PlaneType.PRIMARY));
    memory.close();
  }

  @Test
  void planeThatIsOffIsNone() throws VfioException {
    show(vfio_h.VFIO_GFX_PLANE_TYPE_DMABUF, 0, 0, 0, 0, 0);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThat(Display.of(device).orElseThrow().plane(PlaneType.CURSOR)).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"-1,4,32,4096", "8,-1,32,4096", "8,4,-1,4096", "8,129,32,4096"})
  void impossiblePlaneIsNotBelieved(int width, int height, int stride, int size)
      throws VfioException {
    show(vfio_h.VFIO_GFX_PLANE_TYPE_DMABUF, width, height, stride, size, 0);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      Display display = Display.of(device).orElseThrow();
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> display.plane(PlaneType.PRIMARY))
          .withMessageContaining("a plane of");
    }
  }

  @ParameterizedTest
  @CsvSource({"-1,4096", "17,4096", "16,8193"})
  void impossibleRegionIsNotBelieved(int region, int size) throws VfioException {
    show(vfio_h.VFIO_GFX_PLANE_TYPE_REGION, 8, 4, 32, size, region);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      Display display = Display.of(device).orElseThrow();
      Plane plane = display.plane(PlaneType.PRIMARY).orElseThrow();
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> display.open(plane))
          .withMessageContaining("region");
      assertThat(machine.deviceMappings.protections()).isEmpty();
    }
  }
}
