package io.github.vfio4j.kerneltests.sequences;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciFunction.IrqKind;
import io.github.vfio4j.Region;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.kerneltests.sequences.SpaceModel.Buffer;
import io.github.vfio4j.kerneltests.sequences.SpaceModel.Chosen;
import io.github.vfio4j.kerneltests.sequences.SpaceModel.Mapped;
import io.github.vfio4j.kerneltests.sequences.World.ContainerState;
import io.github.vfio4j.kerneltests.sequences.World.DeviceState;
import io.github.vfio4j.kerneltests.sequences.World.Fd;
import io.github.vfio4j.kerneltests.sequences.World.Hardware;
import io.github.vfio4j.kerneltests.sequences.World.IoasState;
import io.github.vfio4j.sysfs.Sysfs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Calls of one thread in an order that nobody would think of. After each of them what came of it is
 * what a model says, whatever was called before: on objects that are closed, too, with arguments
 * that are wrong, and while the thread is interrupted.
 */
final class Sequence {
  private static final long PAGE = SpaceModel.PAGE;
  private static final int PAGES = 16;
  private static final int ID = 0x010000ed;
  private static final int COMPLEMENT = 4;
  private static final long DEVICE_MEMORY = 0x40000;

  /** Where a device of 28 bits does DMA; the last ones are only for mapping. */
  private static final long[] IOVAS = {
    0x10000,
    0x11000,
    0x12000,
    0x13000,
    0x20000,
    0x0fff0000L,
    0x100010,
    0xfee00000L,
    0xfedff000L,
    1L << 40,
    1L << 47,
    1L << 52
  };

  private static final int REACHABLE = 6;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final SplittableRandom random;
  private final Journal journal;
  private final List<Hardware> hardware;
  private final World world = new World();
  private final MemorySegment pages;

  /** What must be in the pages, as far as devices have written them. */
  private final MemorySegment shadow;

  /**
   * Prepares a sequence.
   *
   * @param seed which one: the same seed makes the same calls
   * @param arena of memory for devices
   * @param tally what counts its calls
   */
  Sequence(long seed, List<Hardware> hardware, Arena arena, Tally tally) {
    this.random = new SplittableRandom(seed);
    this.journal = new Journal("sequence of seed " + seed, tally);
    this.hardware = hardware;
    this.pages = arena.allocate(PAGES * PAGE, PAGE);
    byte[] bytes = new byte[(int) (PAGES * PAGE)];
    random.nextBytes(bytes);
    this.shadow = MemorySegment.ofArray(bytes);
    pages.copyFrom(shadow);
    hardware.forEach(one -> one.memory = null);
  }

  /** Makes about so many calls, and closes everything. */
  void run(int steps) {
    try {
      openIommufd();
      openContainer();
      allocateIoas();
      for (int i = 0; i < steps; i++) {
        step();
        world.prune();
      }
    } finally {
      closeAll();
    }
  }

  private void step() {
    switch (random.nextInt(120)) {
      case 0, 1 -> openIommufd();
      case 2 -> closeIommufd();
      case 3, 4, 5 -> allocateIoas();
      case 6, 7 -> closeIoas();
      case 8, 9 -> openContainer();
      case 10 -> closeContainer();
      case 11, 12, 13, 14 -> bind();
      case 15, 16, 17 -> openInContainer();
      case 18, 19 -> closeDevice();
      case 20, 21, 22, 23, 24 -> attach();
      case 25, 26 -> detach();
      case 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38 -> map();
      case 39, 40, 41, 42, 43, 44 -> unmap();
      case 45, 46, 47 -> mapAnywhere();
      case 48, 49 -> closeChosen();
      case 50, 51, 52 -> allocate();
      case 53, 54 -> closeBuffer();
      case 55 -> unmapAll();
      case 56, 57, 58 -> copy();
      case 59, 60, 61, 62, 63, 64, 65 -> enable();
      case 66, 67, 68, 69, 70, 71, 72, 73, 74, 75 -> useVector();
      case 76, 77 -> closeVector();
      case 78 -> disable();
      case 79, 80, 81, 82, 83, 84 -> mapRegion();
      case 85, 86, 87, 88, 89, 90, 91, 92, 93, 94 -> useRegion();
      case 95 -> closeRegion();
      case 96, 97, 98 -> setBusMaster();
      case 99, 100, 101, 102, 103 -> dma();
      case 104, 105 -> reset();
      default -> look();
    }
  }

  private boolean sometimes() {
    return random.nextInt(12) == 0;
  }

  private <T> Optional<T> any(List<T> all) {
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
  }

  private <T> Optional<T> ask(String what, Expected expected, Journal.Call<T> call) {
    return journal.perform(what, () -> expected, sometimes(), call);
  }

  private boolean tell(String what, Expected expected, Journal.Step step) {
    return journal.perform(what, () -> expected, sometimes(), step);
  }

  private void openIommufd() {
    if (world.fds.stream().filter(fd -> fd.open).count() < 2) {
      ask("Iommufd.open", Expected.RETURNS, Iommufd::open)
          .ifPresent(opened -> world.fds.add(new Fd(opened)));
    }
  }

  private void closeIommufd() {
    any(world.fds)
        .ifPresent(
            fd -> {
              tell("iommufd.close", Expected.RETURNS, fd.iommufd::close);
              world.closed(fd);
            });
  }

  private void allocateIoas() {
    any(world.fds)
        .ifPresent(
            fd ->
                ask(
                        "allocateIoas",
                        fd.open ? Expected.RETURNS : Expected.CLOSED,
                        fd.iommufd::allocateIoas)
                    .ifPresent(ioas -> world.ioases.add(new IoasState(ioas, fd, narrow()))));
  }

  private List<IovaRange> narrow() {
    return hardware.getFirst().ranges;
  }

  private void closeIoas() {
    any(world.ioases)
        .ifPresent(
            ioas -> {
              Expected expected =
                  world.isAttached(ioas)
                      ? Expected.refused(DeviceBusyException.class)
                      : Expected.RETURNS;
              if (tell("close " + ioas.ioas, expected, ioas.ioas::close)) {
                ioas.model.close();
              }
            });
  }

  private void openContainer() {
    if (world.containers.stream().filter(one -> one.model.isOpen()).count() < 2) {
      ask("Container.open", Expected.RETURNS, () -> Container.open())
          .ifPresent(opened -> world.containers.add(new ContainerState(opened, narrow())));
    }
  }

  private void closeContainer() {
    any(world.containers)
        .ifPresent(
            container -> {
              tell("close " + container.container, Expected.RETURNS, container.container::close);
              world.closed(container);
            });
  }

  /** An edu, mostly: it takes an NVMe controller long to open. */
  private Hardware anyHardware() {
    return hardware.get(sometimes() ? hardware.size() - 1 : random.nextInt(hardware.size() - 1));
  }

  private void bind() {
    Hardware device = anyHardware();
    any(world.fds)
        .ifPresent(
            fd -> {
              Expected expected = fd.open ? Expected.RETURNS : Expected.CLOSED;
              if (world.isBound(device) || world.isGrouped(device, null)) {
                Expected busy = Expected.refused(DeviceBusyException.class);
                expected = fd.open ? busy : busy.or(Expected.CLOSED);
              }
              ask(
                      "bind " + device.address,
                      expected,
                      () -> fd.iommufd.bind(Sysfs.host().device(device.address)))
                  .ifPresent(
                      opened -> world.devices.add(new DeviceState(opened, device, fd, null)));
            });
  }

  private void openInContainer() {
    Hardware device = anyHardware();
    any(world.containers)
        .ifPresent(
            container -> {
              boolean open = container.model.isOpen();
              Expected expected = open ? Expected.RETURNS : Expected.CLOSED;
              if (open && (world.isBound(device) || world.isGrouped(device, container))) {
                expected = Expected.refused(DeviceBusyException.class);
              }
              boolean twice =
                  world.devices.stream()
                      .anyMatch(
                          one -> one.open && one.container == container && one.hardware == device);
              Optional<VfioDevice> opened =
                  ask(
                      "open " + device.address + " in " + container.container,
                      expected,
                      () -> VfioDevice.open(device.address, container.container));
              if (opened.isPresent()) {
                container.groups.add(device);
                container.model.narrowed();
                if (twice) { // the kernel lets one open it again, and then there are two of it
                  tell("close it again", Expected.RETURNS, opened.get()::close);
                } else {
                  world.devices.add(new DeviceState(opened.get(), device, null, container));
                }
              }
            });
  }

  private void closeDevice() {
    any(world.devices)
        .ifPresent(
            device -> {
              tell("close " + device.device, Expected.RETURNS, device.device::close);
              world.closed(device);
            });
  }

  private Optional<DeviceState> anyCdev() {
    return any(world.devices.stream().filter(device -> device.fd != null).toList());
  }

  private void attach() {
    anyCdev()
        .ifPresent(
            device ->
                any(world.ioases)
                    .ifPresent(
                        ioas -> {
                          if (tell(
                              "attach " + device.device + " to " + ioas.ioas,
                              attaching(device, ioas),
                              () -> device.cdev().attach(ioas.ioas))) {
                            if (device.attached != ioas) {
                              world.detached(device);
                            }
                            device.attached = ioas;
                            ioas.model.narrowed();
                          }
                        }));
  }

  private static Expected attaching(DeviceState device, IoasState ioas) {
    if (ioas.owner != device.fd) {
      return Expected.BAD;
    }
    if (!ioas.model.isOpen() || !device.open) {
      return Expected.CLOSED;
    }
    return ioas.model.suitsDevices()
        ? Expected.RETURNS
        : Expected.refused(IovaInUseException.class);
  }

  private void detach() {
    anyCdev()
        .ifPresent(
            device -> {
              Expected expected =
                  device.open ? Expected.RETURNS : Expected.RETURNS.or(Expected.CLOSED);
              if (tell("detach " + device.device, expected, device.cdev()::detach)) {
                world.detached(device);
              }
            });
  }

  private Optional<SpaceModel> anySpace() {
    return any(world.spaces());
  }

  private MemorySegment anyPages(int first) {
    int count = 1 + random.nextInt(Math.min(3, PAGES - first));
    return pages.asSlice(first * PAGE, count * PAGE);
  }

  private void map() {
    anySpace()
        .ifPresent(
            space -> {
              int first = random.nextInt(PAGES);
              MemorySegment memory = sometimes() ? pages.asSlice(0, 0) : anyPages(first);
              if (sometimes()) {
                memory = pages.asSlice(first * PAGE, 100);
              }
              long iova = IOVAS[random.nextInt(IOVAS.length)];
              DmaAccess access = anyAccess();
              MemorySegment wanted = memory;
              long size = memory.byteSize();
              if (tell(
                  "map page %d, 0x%x bytes at 0x%x of %s, %s"
                      .formatted(first, size, iova, space.space, access),
                  space.map(iova, size),
                  () -> space.space.map(wanted, iova, access))) {
                space.enter(iova, new Mapped(size, first, access));
              }
            });
  }

  private DmaAccess anyAccess() {
    return random.nextInt(3) > 0
        ? DmaAccess.READ_WRITE
        : any(List.of(DmaAccess.values())).orElseThrow();
  }

  private void unmap() {
    anySpace()
        .ifPresent(
            space -> {
              Optional<Map.Entry<Long, Mapped>> there = any(space.all());
              long iova = IOVAS[random.nextInt(IOVAS.length)];
              long size = PAGE;
              if (there.isPresent() && !sometimes()) {
                iova = there.get().getKey();
                size = there.get().getValue().size();
              }
              if (sometimes()) {
                size += PAGE;
              }
              long from = iova;
              long bytes = size;
              if (tell(
                  "unmap 0x%x bytes at 0x%x of %s".formatted(size, iova, space.space),
                  space.unmap(iova, size),
                  () -> space.space.unmap(from, bytes))) {
                space.unmapped(iova);
              }
            });
  }

  private void mapAnywhere() {
    anySpace()
        .ifPresent(
            space -> {
              int first = random.nextInt(PAGES);
              MemorySegment memory = anyPages(first);
              DmaAccess access = anyAccess();
              Optional<DmaMapping> made =
                  ask(
                      "map page %d anywhere in %s".formatted(first, space.space),
                      space.mapAnywhere(),
                      () -> space.space.map(memory, access));
              made.ifPresent(
                  mapping -> {
                    Mapped one = new Mapped(memory.byteSize(), first, access);
                    journal.require(mapping.size() == one.size(), "another size: " + mapping);
                    enterChosen(space, mapping.iova(), one);
                    space.chosen.add(new Chosen(mapping, one));
                  });
            });
  }

  private void enterChosen(SpaceModel space, long iova, Mapped one) {
    space.enterChosen(iova, one).ifPresent(wrong -> journal.require(false, wrong));
  }

  private void closeChosen() {
    anySpace()
        .ifPresent(
            space ->
                any(space.chosen)
                    .ifPresent(
                        one -> {
                          tell("close " + one.handle(), Expected.RETURNS, one.handle()::close);
                          space.unmapped(one.handle().iova(), one.mapped());
                        }));
  }

  private void allocate() {
    anySpace()
        .ifPresent(
            space -> {
              long size = sometimes() ? -random.nextInt(2) : 1 + random.nextInt(3 * (int) PAGE);
              Optional<DmaBuffer> made =
                  ask(
                      "allocate " + size + " in " + space.space,
                      space.allocate(size),
                      () -> space.space.allocate(size));
              made.ifPresent(
                  buffer -> {
                    long whole = (size + PAGE - 1) & -PAGE;
                    journal.require(
                        buffer.size() == whole && isZero(buffer), "not as asked: " + buffer);
                    Mapped one = new Mapped(whole, -1, DmaAccess.READ_WRITE);
                    enterChosen(space, buffer.iova(), one);
                    space.buffers.add(new Buffer(buffer, one));
                  });
            });
  }

  private static boolean isZero(DmaBuffer buffer) {
    MemorySegment zeros = MemorySegment.ofArray(new byte[(int) buffer.size()]);
    return buffer.segment().mismatch(zeros) == -1;
  }

  private void closeBuffer() {
    anySpace()
        .ifPresent(
            space ->
                any(space.buffers)
                    .ifPresent(
                        one -> {
                          tell("close " + one.handle(), Expected.RETURNS, one.handle()::close);
                          space.unmapped(one.handle().iova(), one.mapped());
                          journal.require(
                              !one.handle().segment().scope().isAlive(), "its memory is alive");
                        }));
  }

  private void unmapAll() {
    anySpace()
        .ifPresent(
            space -> {
              if (tell("unmapAll " + space.space, space.unmapAll(), space.space::unmapAll)) {
                space.unmappedAll();
              }
            });
  }

  private void copy() {
    any(world.ioases)
        .ifPresent(
            from ->
                any(world.ioases)
                    .ifPresent(
                        to -> any(from.model.all()).ifPresent(mapping -> copy(from, to, mapping))));
  }

  private void copy(IoasState from, IoasState to, Map.Entry<Long, Mapped> mapping) {
    long iova = IOVAS[random.nextInt(IOVAS.length)];
    Mapped source = mapping.getValue();
    Expected expected = to.model.map(iova, source.size());
    if (from.owner != to.owner) {
      expected = Expected.BAD;
    } else if (!to.model.isOpen() || !from.model.isOpen()) {
      expected = Expected.CLOSED;
    } else if (source.page() < 0) {
      expected = expected.or(Expected.CLOSED); // of a buffer, which may have been closed since
    }
    Ioas target = to.ioas;
    if (tell(
        "copy 0x%x of %s to 0x%x of %s".formatted(mapping.getKey(), from.ioas, iova, target),
        expected,
        () -> target.copy(from.ioas, mapping.getKey(), iova, source.size(), source.access()))) {
      to.model.enter(iova, new Mapped(source.size(), source.page(), source.access()));
    }
  }

  private static Expected open(DeviceState device, Expected otherwise) {
    return device.open ? otherwise : Expected.CLOSED;
  }

  private void enable() {
    any(world.devices)
        .ifPresent(
            device -> {
              IrqKind kind = any(List.of(IrqKind.values())).orElseThrow();
              int[] vectors = random.ints(random.nextInt(4), 0, sometimes() ? 70 : 6).toArray();
              if (!device.hardware.edu && random.nextInt(4) > 0) {
                kind = IrqKind.MSIX;
              } else if (vectors.length > 0 && random.nextBoolean()) {
                vectors = new int[] {0};
              }
              IrqKind which = kind;
              int[] wanted = vectors;
              Optional<List<Interrupt>> enabled =
                  ask(
                      "enable %s %s of %s".formatted(kind, Arrays.toString(vectors), device.device),
                      open(device, device.vectors.enable(kind, vectors)),
                      () -> device.device.pci().irq(which).enable(wanted));
              enabled
                  .flatMap(interrupts -> device.vectors.enter(which, interrupts, wanted))
                  .ifPresent(wrong -> journal.require(false, wrong));
            });
  }

  private void useVector() {
    any(world.devices)
        .ifPresent(
            device -> any(device.vectors.known).ifPresent(vector -> useVector(device, vector)));
  }

  private void useVector(DeviceState device, VectorsModel.Vector vector) {
    Expected expected = vector.isOpen() ? Expected.RETURNS : Expected.CLOSED;
    Interrupt interrupt = vector.interrupt;
    switch (random.nextInt(8)) {
      case 0 -> {
        Expected masked =
            vector.kind == IrqKind.INTX
                ? expected
                : Expected.refused(UnsupportedOperationException.class);
        tell("mask " + interrupt, masked, interrupt::mask);
        tell("unmask " + interrupt, masked, interrupt::unmask);
      }
      case 1 ->
          tell(
              "await " + interrupt + " for less than no time",
              Expected.BAD,
              () -> interrupt.await(Duration.ofNanos(-1)));
      case 2, 3, 4 -> {
        if (tell("trigger " + interrupt, expected, interrupt::trigger)) {
          vector.fire();
        }
      }
      default -> {
        Duration patience = sometimes() ? Duration.ofMillis(1) : Duration.ZERO;
        ask("await " + interrupt, expected, () -> interrupt.await(patience))
            .ifPresent(
                count -> {
                  long fired = vector.take();
                  journal.require(
                      count == fired, device.device + " should have fired " + fired + " times");
                });
      }
    }
  }

  private void closeVector() {
    any(world.devices)
        .ifPresent(
            device ->
                any(device.vectors.known)
                    .ifPresent(
                        vector -> {
                          tell(
                              "close " + vector.interrupt,
                              Expected.RETURNS,
                              vector.interrupt::close);
                          device.vectors.closed(vector);
                        }));
  }

  private void disable() {
    any(world.devices)
        .ifPresent(
            device -> {
              IrqKind kind = any(List.of(IrqKind.values())).orElseThrow();
              if (tell(
                  "disable " + kind + " of " + device.device,
                  open(device, Expected.RETURNS),
                  () -> device.device.pci().irq(kind).disable())) {
                device.vectors.disabled(kind);
              }
            });
  }

  private Optional<DeviceState> anyEdu() {
    return any(world.devices.stream().filter(device -> device.hardware.edu).toList());
  }

  private void mapRegion() {
    anyEdu()
        .ifPresent(
            device ->
                ask(
                        "map the registers of " + device.device,
                        open(device, Expected.RETURNS),
                        () -> device.device.region(0).map())
                    .ifPresent(device.regions::add));
  }

  private void useRegion() {
    anyEdu()
        .ifPresent(
            device -> {
              any(device.regions)
                  .ifPresentOrElse(region -> useRegion(device, region), () -> readRegion(device));
            });
  }

  private void useRegion(DeviceState device, MappedRegion region) {
    Expected expected = open(device, Expected.RETURNS);
    switch (random.nextInt(6)) {
      case 0 ->
          ask("read the number of " + device.device, expected, () -> region.getInt(0))
              .ifPresent(id -> journal.require(id == ID, "it has another number"));
      case 1 ->
          tell(
              "read beyond the registers",
              device.open ? Expected.refused(IndexOutOfBoundsException.class) : Expected.CLOSED,
              () -> region.getInt(1 << 20));
      case 2 ->
          tell("read where no register begins", open(device, Expected.BAD), () -> region.getInt(2));
      case 3 -> // an interrupt ends the waiting, and nothing else does so soon
          journal.perform(
              "wait for another number of " + device.device,
              () -> open(device, Expected.refused(VfioException.class)),
              true,
              () -> region.awaitInt(0, -1, 0, PATIENCE));
      case 4 -> {
        int value = random.nextInt();
        if (tell(
            "write " + value + " to " + device.device,
            expected,
            () -> region.setInt(COMPLEMENT, value))) {
          device.written = value;
        }
      }
      default ->
          ask("read it back", expected, () -> region.getInt(COMPLEMENT))
              .ifPresent(value -> isComplement(device, value));
    }
  }

  private void isComplement(DeviceState device, int value) {
    Integer written = device.written;
    journal.require(
        written == null || value == ~written, device.device + " does not know " + written);
  }

  private void readRegion(DeviceState device) {
    Optional<Region> region =
        ask(
            "region 0 of " + device.device,
            open(device, Expected.RETURNS),
            () -> device.device.region(0));
    region.ifPresent(
        one ->
            ask("read it back by a call", Expected.RETURNS, () -> one.readInt(COMPLEMENT))
                .ifPresent(value -> isComplement(device, value)));
    tell(
        "region 9 of " + device.device,
        Expected.refused(IndexOutOfBoundsException.class),
        () -> device.device.region(9));
  }

  private void closeRegion() {
    anyEdu()
        .ifPresent(
            device ->
                any(device.regions)
                    .ifPresent(
                        region -> {
                          tell("close " + region, Expected.RETURNS, region::close);
                          tell("read it", Expected.CLOSED, () -> region.getInt(0));
                          device.regions.remove(region);
                        }));
  }

  private void setBusMaster() {
    anyEdu()
        .ifPresent(
            device -> {
              boolean on = random.nextInt(4) > 0;
              if (tell(
                  (on ? "allow" : "forbid") + " DMA of " + device.device,
                  open(device, Expected.RETURNS),
                  () -> device.device.pci().config().setBusMaster(on))) {
                device.busMaster = on;
              }
            });
  }

  private void reset() {
    any(world.devices)
        .ifPresent(
            device -> {
              Expected expected = Expected.refused(UnsupportedByKernelException.class);
              if (device.device.info().resettable()) {
                expected = Expected.RETURNS;
              }
              if (tell("reset " + device.device, open(device, expected), device.device::reset)) {
                device.written = null;
                device.busMaster = false;
                device.hardware.memory = null;
              }
            });
  }

  private void dma() {
    anyEdu()
        .filter(device -> device.open && !device.regions.isEmpty())
        .ifPresent(
            device -> {
              long iova = IOVAS[random.nextInt(REACHABLE)];
              boolean reading = random.nextBoolean();
              SpaceModel space = device.space();
              Optional<Map.Entry<Long, Mapped>> there =
                  space == null ? Optional.empty() : space.at(iova);
              move(device, device.regions.getFirst(), iova, reading);
              Optional<Map.Entry<Long, Mapped>> reached =
                  there.filter(one -> device.busMaster && allows(one.getValue(), reading));
              if (reading) {
                device.hardware.memory = reached.map(one -> content(one, iova)).orElse(null);
              } else {
                reached.ifPresent(one -> written(device, one, iova));
              }
              journal.require(
                  pages.mismatch(shadow) == -1,
                  "memory differs at 0x%x".formatted(pages.mismatch(shadow)));
            });
  }

  private static boolean allows(Mapped mapped, boolean reading) {
    return reading ? mapped.access().readable() : mapped.access().writable();
  }

  private static long offset(Map.Entry<Long, Mapped> mapping, long iova) {
    return mapping.getValue().page() * PAGE + iova - mapping.getKey();
  }

  private byte @Nullable [] content(Map.Entry<Long, Mapped> mapping, long iova) {
    return mapping.getValue().page() < 0
        ? null
        : shadow.asSlice(offset(mapping, iova), PAGE).toArray(JAVA_BYTE);
  }

  private void written(DeviceState device, Map.Entry<Long, Mapped> mapping, long iova) {
    if (mapping.getValue().page() >= 0) {
      byte[] known = device.hardware.memory;
      long offset = offset(mapping, iova);
      shadow
          .asSlice(offset, PAGE)
          .copyFrom(known == null ? pages.asSlice(offset, PAGE) : MemorySegment.ofArray(known));
    }
  }

  /**
   * Has the device move a page between its memory and an IOVA, whether it can be reached or not.
   */
  private void move(DeviceState device, MappedRegion registers, long iova, boolean reading) {
    journal.perform(
        "%s moves a page %s 0x%x".formatted(device.device, reading ? "from" : "to", iova),
        () -> Expected.RETURNS,
        false, // or it would be moving still
        () -> {
          registers.setLong(0x80, reading ? iova : DEVICE_MEMORY);
          registers.setLong(0x88, reading ? DEVICE_MEMORY : iova);
          registers.setLong(0x90, PAGE);
          registers.setLongRelease(0x98, reading ? 1 : 3);
          registers.awaitInt(0x98, 1, 0, PATIENCE);
        });
  }

  /** Looks at everything that can be seen without changing anything. */
  private void look() {
    for (DeviceState device : world.devices) {
      journal.require(device.device.isClosed() != device.open, device.device + " is not so");
      if (device.open && device.fd != null) {
        journal.require(
            device.cdev().attached().orElse(null)
                == (device.attached == null ? null : device.attached.ioas),
            device.device + " is attached to something else");
      }
      for (VectorsModel.Vector vector : device.vectors.known) {
        journal.require(
            vector.interrupt.isClosed() != vector.isOpen(), vector.interrupt + " is not so");
      }
    }
    for (SpaceModel space : world.spaces()) {
      for (Buffer buffer : space.buffers) {
        journal.require(
            space.isOpen() || !buffer.handle().segment().scope().isAlive(),
            buffer.handle() + " has outlived its address space");
      }
    }
  }

  private void closeAll() {
    Thread.interrupted();
    for (DeviceState device : world.devices) {
      if (random.nextBoolean()) {
        close(device.device);
      }
    }
    world.containers.forEach(one -> close(one.container));
    world.fds.forEach(one -> close(one.iommufd));
  }

  private void close(AutoCloseable object) {
    try {
      object.close();
    } catch (VfioException e) {
      throw journal.wrong("cannot close " + object, e);
    } catch (Exception e) {
      throw journal.wrong("closing " + object, e);
    }
  }
}
