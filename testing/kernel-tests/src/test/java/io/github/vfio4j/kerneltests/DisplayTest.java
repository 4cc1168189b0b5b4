package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.RegionCapability;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.dmabuf.DmaBuf;
import io.github.vfio4j.graphics.Display;
import io.github.vfio4j.graphics.Edid;
import io.github.vfio4j.graphics.Plane;
import io.github.vfio4j.graphics.PlaneKind;
import io.github.vfio4j.graphics.PlaneMemory;
import io.github.vfio4j.graphics.PlaneType;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.MediatedType;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The kernel's two samples of a display, which need no IOMMU. */
@OnMachine(
    value = {"intel/legacy", "bare"},
    since = "6.6")
class DisplayTest {
  private static final UUID NAME = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1004");

  private static final int FRAME_BUFFER = 0;
  private static final int MODE_REGISTERS = 2;
  private static final int WIDTH = 0x502;
  private static final int HEIGHT = 0x504;
  private static final int BITS = 0x506;
  private static final int ENABLE = 0x508;

  private final Sysfs sysfs = Sysfs.host();

  private MediatedDevice create(String id) throws VfioException {
    MediatedType type =
        sysfs.mediatedTypes().stream().filter(one -> one.id().equals(id)).findAny().orElseThrow();
    return sysfs.create(type, NAME);
  }

  @AfterEach
  void remove() throws VfioException {
    for (MediatedDevice device : sysfs.mediatedDevices()) {
      if (device.uuid().equals(NAME)) {
        sysfs.remove(device);
      }
    }
  }

  /** Draws at both ends of a frame, and sees the same through the plane. */
  private static void assertShowsWhatIsDrawn(VfioDevice device, PlaneMemory memory)
      throws VfioException {
    Plane plane = memory.plane();
    long visible = (long) plane.stride() * plane.height();
    int lines = 4 * plane.stride();
    try (Arena arena = Arena.ofConfined();
        MappedRegion frame = device.region(FRAME_BUFFER).map()) {
      for (long offset : new long[] {0, visible - lines}) {
        MemorySegment drawn = arena.allocate(lines);
        EduDma.fill(drawn, (int) offset + 1);
        frame.write(offset, drawn);
        MemorySegment seen = arena.allocate(lines);
        memory.read(offset, seen);
        assertThat(seen.mismatch(drawn)).isEqualTo(-1);
        byte[] heap = new byte[100];
        memory.read(offset + 3, MemorySegment.ofArray(heap));
        assertThat(MemorySegment.ofArray(heap).mismatch(drawn.asSlice(3, 100))).isEqualTo(-1);
      }
    }
  }

  /** The driver names a region that it does not count. */
  @EachBackend
  void planeOfARegionShowsWhatIsDrawn(Backend backend) throws VfioException {
    try (VfioDevice device = VfioDevice.open(create("mdpy-vga"), backend)) {
      Display display = Display.of(device).orElseThrow();
      assertThat(display.kinds()).containsExactly(PlaneKind.REGION);
      assertThat(display.edid()).isEmpty();
      Plane plane = display.plane(PlaneType.PRIMARY).orElseThrow();
      assertThat(plane)
          .isEqualTo(
              new Plane(
                  PlaneKind.REGION,
                  PlaneType.PRIMARY,
                  0x34325258,
                  0,
                  640,
                  480,
                  2560,
                  2 << 20,
                  0,
                  0,
                  Optional.of(new Plane.HotSpot(0, 0)),
                  16));
      assertThat(plane.formatName()).isEqualTo("XR24");
      PlaneMemory memory = display.open(plane);
      assertThat(memory.dmaBuf()).isEmpty();

      assertShowsWhatIsDrawn(device, memory);

      memory.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> memory.read(0, MemorySegment.ofArray(new byte[4])));
    }
  }

  /** The driver forgets to answer with what it has made, so that each mode is asked for twice. */
  private static Plane plane(Display display) throws VfioException {
    assertRefused(Errno.ENOMEM, () -> display.plane(PlaneType.PRIMARY));
    return display.plane(PlaneType.PRIMARY).orElseThrow();
  }

  private static void setMode(VfioDevice device, int width, int height) throws VfioException {
    Region registers = device.region(MODE_REGISTERS);
    registers.writeShort(WIDTH, (short) width);
    registers.writeShort(HEIGHT, (short) height);
    registers.writeShort(BITS, (short) 32);
    registers.writeShort(ENABLE, (short) 0x41);
  }

  /**
   * Each file is asked for once: the driver counts wrongly what is asked for again. It opens them
   * in a way that no process can map, which leaves them to other subsystems.
   */
  @EachBackend
  void planeOfAFileIsToldAndOpened(Backend backend) throws IOException {
    PlaneMemory memory;
    DmaBuf file;
    try (VfioDevice device = VfioDevice.open(create("mbochs-small"), backend)) {
      Display display = Display.of(device).orElseThrow();
      assertThat(display.kinds()).containsExactly(PlaneKind.DMA_BUF);
      assertThat(display.plane(PlaneType.PRIMARY)).isEmpty();
      setMode(device, 128, 64);
      Plane plane = plane(display);
      assertThat(plane.kind()).isEqualTo(PlaneKind.DMA_BUF);
      assertThat(plane.formatName()).isEqualTo("XR24");
      assertThat(plane.width()).isEqualTo(128);
      assertThat(plane.height()).isEqualTo(64);
      assertThat(plane.stride()).isEqualTo(512);
      assertThat(plane.size()).isEqualTo(512 * 64);
      assertThat(display.plane(PlaneType.CURSOR)).isEmpty();
      memory = display.open(plane);
      file = memory.dmaBuf().orElseThrow();
      assertThat(file.size()).isEqualTo(plane.size());
      assertThat(Files.readSymbolicLink(Path.of("/proc/self/fd/" + file.fd())).toString())
          .contains("dmabuf");
      assertRefused(Errno.EINVAL, () -> memory.read(0, MemorySegment.ofArray(new byte[4])));

      setMode(device, 256, 64);
      Plane wider = plane(display);
      assertThat(wider.number()).isNotEqualTo(plane.number());
      try (PlaneMemory other = display.open(wider)) {
        assertThat(other.dmaBuf().orElseThrow().size()).isEqualTo(2 * plane.size());
      }
      assertRefused(Errno.ENOENT, () -> display.open(withNumber(wider, 99)));
    }
    assertThatIllegalStateException()
        .isThrownBy(() -> memory.read(0, MemorySegment.ofArray(new byte[4])));
    assertThatIllegalStateException().isThrownBy(file::fd);
  }

  private static Plane withNumber(Plane plane, int number) {
    return new Plane(
        plane.kind(),
        plane.type(),
        plane.format(),
        plane.modifier(),
        plane.width(),
        plane.height(),
        plane.stride(),
        plane.size(),
        plane.x(),
        plane.y(),
        plane.hotSpot(),
        number);
  }

  /** The guest reads it in the device's registers. */
  @EachBackend
  void guestSeesTheMonitorThatIsPluggedIn(Backend backend) throws VfioException {
    byte[] data = new byte[256];
    new Random(1).nextBytes(data);
    try (VfioDevice device = VfioDevice.open(create("mbochs-small"), backend)) {
      Region region = device.regionOfType(1, 1).orElseThrow();
      assertThat(region.info().index()).isEqualTo(9);
      assertThat(region.info().type()).contains(new RegionCapability.Type(1, 1));
      Edid edid = Display.of(device).orElseThrow().edid().orElseThrow();
      assertThat(edid.capacity()).isEqualTo(1024);
      assertThat(edid.maxWidth()).isEqualTo(800);
      assertThat(edid.maxHeight()).isEqualTo(600);
      assertThat(edid.isOn()).isFalse();
      assertThat(edid.read()).isEmpty();

      edid.plugIn(data);

      assertThat(edid.isOn()).isTrue();
      assertThat(edid.read()).isEqualTo(data);
      assertThat(guestView(device, data.length)).isEqualTo(data);
      edid.setOn(false);
      assertThat(guestView(device, data.length)).isEqualTo(new byte[data.length]);
      assertThatIllegalArgumentException().isThrownBy(() -> edid.plugIn(new byte[1025]));
      assertThat(edid.read()).isEqualTo(data);
    }
  }

  private static byte[] guestView(VfioDevice device, int size) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment seen = arena.allocate(size);
      device.region(MODE_REGISTERS).read(0, seen);
      return seen.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    }
  }

  @Test
  @OnMachine("intel/legacy")
  @Bound(Device.EDU)
  void otherDevicesHaveNoDisplay() throws VfioException {
    MediatedDevice mtty = SerialPort.create();
    try (VfioDevice edu = VfioDevice.open(Machine.EDU);
        VfioDevice port = VfioDevice.open(mtty)) {
      assertThat(Display.of(edu)).isEmpty();
      assertThat(Display.of(port)).isEmpty();
    } finally {
      sysfs.remove(mtty);
    }
  }
}
