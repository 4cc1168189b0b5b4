package io.github.vfio4j.kerneltests.sequences;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.PciFunction.IrqKind;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.kerneltests.sequences.SpaceModel.Buffer;
import io.github.vfio4j.kerneltests.sequences.SpaceModel.Mapped;
import io.github.vfio4j.kerneltests.sequences.World.Hardware;
import io.github.vfio4j.sysfs.Sysfs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Threads that use the same devices and address spaces, each its own part of them, while another
 * one closes things in the middle and interrupts whom it wants to. So each thread knows what its
 * calls should come to, unless what they need is being closed: then they may be refused, and once
 * it is closed they have to be.
 */
final class Race {
  private static final long PAGE = SpaceModel.PAGE;
  private static final int THREADS = 4;
  private static final int CALLS = 150;
  private static final int PAGES = 4;
  private static final int VECTORS = 8;

  /** Far from where the library looks for room first. */
  private static final long WINDOWS = 1L << 36;

  /** Longer than anything takes, on a slow machine. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** Something that is closed in the middle, and the calls that it refuses from then on. */
  private static final class Shared {
    private final AutoCloseable object;
    private volatile boolean begun;
    private volatile boolean done;

    Shared(AutoCloseable object) {
      this.object = object;
    }
  }

  private final long seed;
  private final SplittableRandom random;
  private final List<Hardware> hardware;
  private final Tally tally;
  private final List<Throwable> wrong = new ArrayList<>();

  /**
   * Prepares a race.
   *
   * @param seed where its random numbers start; the threads' course is the machine's choice
   * @param hardware two edus, and a device with many vectors
   * @param tally what counts its calls
   */
  Race(long seed, List<Hardware> hardware, Tally tally) {
    this.seed = seed;
    this.random = new SplittableRandom(seed);
    this.hardware = List.copyOf(hardware);
    this.tally = tally;
  }

  /** Runs it to its end. */
  void run() throws Exception {
    List<Worker> workers = new ArrayList<>();
    try (Arena arena = Arena.ofShared();
        Iommufd iommufd = Iommufd.open();
        Container container = Container.open()) {
      Ioas first = iommufd.allocateIoas();
      Ioas second = iommufd.allocateIoas();
      CdevDevice edu = iommufd.bind(Sysfs.host().device(hardware.get(0).address));
      VfioDevice other = VfioDevice.open(hardware.get(1).address, container);
      CdevDevice many = iommufd.bind(Sysfs.host().device(hardware.get(2).address));
      edu.attach(first);
      many.attach(first);
      Setting setting =
          new Setting(
              new Shared(iommufd),
              new Shared(container),
              new Shared(second),
              new Shared(edu),
              new Shared(other),
              new Shared(many),
              first);
      for (int i = 0; i < THREADS; i++) {
        workers.add(new Worker(i, setting, arena));
      }
      workers.forEach(Thread::start);
      disturb(setting, workers);
      for (Worker worker : workers) {
        worker.join(PATIENCE.toMillis());
        if (worker.isAlive()) {
          throw hanging(worker);
        }
      }
    }
    synchronized (wrong) {
      if (!wrong.isEmpty()) {
        throw new AssertionError("race of seed " + seed, wrong.getFirst());
      }
    }
  }

  /** What the threads share. */
  private record Setting(
      Shared iommufd,
      Shared container,
      Shared second,
      Shared edu,
      Shared other,
      Shared many,
      Ioas first) {}

  private void disturb(Setting setting, List<Worker> workers) throws InterruptedException {
    List<Shared> victims =
        new ArrayList<>(
            List.of(
                setting.second,
                setting.edu,
                setting.other,
                setting.many,
                setting.container,
                setting.iommufd));
    for (int i = random.nextInt(4); i >= 0; i--) {
      for (int pause = random.nextInt(20); pause >= 0; pause--) {
        Thread.sleep(5);
        workers.get(random.nextInt(THREADS)).interrupt();
      }
      Shared victim = victims.remove(random.nextInt(victims.size()));
      victim.begun = true;
      try {
        victim.object.close();
        victim.done = true;
      } catch (DeviceBusyException e) {
        victim.begun = false; // it is as usable as before
        if (victim != setting.second) { // which a device may be attached to
          note(e);
        }
      } catch (Exception e) {
        note(e);
      }
    }
  }

  private void note(Throwable thrown) {
    synchronized (wrong) {
      wrong.add(thrown);
    }
  }

  private static AssertionError hanging(Thread worker) {
    var text = new StringBuilder(worker + " hangs");
    for (Map.Entry<Thread, StackTraceElement[]> thread : Thread.getAllStackTraces().entrySet()) {
      text.append("\n  ").append(thread.getKey());
      for (StackTraceElement frame : thread.getValue()) {
        text.append("\n    at ").append(frame);
      }
    }
    return new AssertionError(text.toString());
  }

  /** A vector of a thread's own, while it is enabled. */
  private static final class Vector {
    @Nullable Interrupt interrupt;
    long fired;
  }

  /** One of the threads. */
  private final class Worker extends Thread {
    private final SplittableRandom random;
    private final Journal journal;
    private final Setting setting;
    private final SpaceModel modern;
    private final SpaceModel legacy;
    private final long window;
    private final int firstVector;
    private final MemorySegment pages;
    private final Vector[] vectors = new Vector[VECTORS];

    Worker(int number, Setting setting, Arena arena) {
      super("worker " + number);
      this.random = new SplittableRandom(seed * THREADS + number);
      this.journal = new Journal("race of seed " + seed + ", thread " + number, tally);
      this.setting = setting;
      this.modern = model(setting.first);
      this.legacy = model((Container) setting.container.object);
      this.window = WINDOWS + ((long) number << 32);
      this.firstVector = number * VECTORS;
      this.pages = arena.allocate(PAGES * PAGE, PAGE);
      for (int i = 0; i < VECTORS; i++) {
        vectors[i] = new Vector();
      }
      setDaemon(true);
    }

    private SpaceModel model(IoAddressSpace space) {
      SpaceModel model = new SpaceModel(space, hardware.getFirst().ranges, true);
      model.narrowed();
      return model;
    }

    @Override
    public void run() {
      try {
        for (int i = 0; i < CALLS; i++) {
          step();
        }
      } catch (Throwable e) {
        note(e);
      }
    }

    private void step() {
      boolean old = random.nextBoolean();
      SpaceModel space = old ? legacy : modern;
      Shared owner = old ? setting.container : setting.iommufd;
      switch (random.nextInt(16)) {
        case 0, 1, 2, 3 -> map(space, owner);
        case 4, 5 -> unmap(space, owner);
        case 6, 7 -> allocate(space, owner);
        case 8 -> free(space);
        case 9 -> attach();
        case 10 -> enable();
        case 11, 12, 13 -> useVector();
        case 14 -> closeVector();
        default -> register();
      }
    }

    /** Makes a call that owners may refuse from some moment on. */
    private <T> Optional<T> ask(
        String what, Expected expected, Journal.Call<T> call, Shared... owners) {
      boolean closed = is(owner -> owner.done, owners);
      Supplier<Expected> after =
          () -> {
            if (closed) {
              return Expected.CLOSED;
            }
            return is(owner -> owner.begun, owners) ? expected.or(Expected.CLOSED) : expected;
          };
      return journal.perform(what, after, false, call);
    }

    private boolean tell(String what, Expected expected, Journal.Step step, Shared... owners) {
      return ask(
              what,
              expected,
              () -> {
                step.run();
                return "done";
              },
              owners)
          .isPresent();
    }

    private static boolean is(Question question, Shared... owners) {
      for (Shared owner : owners) {
        if (question.of(owner)) {
          return true;
        }
      }
      return false;
    }

    private void map(SpaceModel space, Shared owner) {
      long iova = window + random.nextInt(6) * PAGE;
      int first = random.nextInt(PAGES);
      MemorySegment memory =
          pages.asSlice(first * PAGE, (1 + random.nextInt(PAGES - first)) * PAGE);
      if (tell(
          "map 0x%x bytes at 0x%x of %s".formatted(memory.byteSize(), iova, space.space),
          space.map(iova, memory.byteSize()),
          () -> space.space.map(memory, iova, DmaAccess.READ_WRITE),
          owner)) {
        space.enter(iova, new Mapped(memory.byteSize(), first, DmaAccess.READ_WRITE));
      }
    }

    private void unmap(SpaceModel space, Shared owner) {
      long iova = window + random.nextInt(6) * PAGE;
      long size = (1 + random.nextInt(2)) * PAGE;
      if (tell(
          "unmap 0x%x bytes at 0x%x of %s".formatted(size, iova, space.space),
          space.unmap(iova, size),
          () -> space.space.unmap(iova, size),
          owner)) {
        space.unmapped(iova);
      }
    }

    private void allocate(SpaceModel space, Shared owner) {
      Optional<DmaBuffer> made =
          ask(
              "allocate in " + space.space,
              Expected.RETURNS,
              () -> space.space.allocate(PAGE),
              owner);
      made.ifPresent(
          buffer -> {
            Mapped one = new Mapped(PAGE, -1, DmaAccess.READ_WRITE);
            space.enter(buffer.iova(), one);
            space.buffers.add(new Buffer(buffer, one));
          });
    }

    private void free(SpaceModel space) {
      if (!space.buffers.isEmpty()) {
        Buffer one = space.buffers.remove(random.nextInt(space.buffers.size()));
        tell("close " + one.handle(), Expected.RETURNS, one.handle()::close);
        space.unmapped(one.handle().iova(), one.mapped());
        journal.require(
            !one.handle().segment().scope().isAlive(), one.handle() + " keeps its memory");
      }
    }

    private void attach() {
      CdevDevice edu = (CdevDevice) setting.edu.object;
      switch (random.nextInt(3)) {
        case 0 ->
            tell(
                "attach " + edu + " to " + setting.first,
                Expected.RETURNS,
                () -> edu.attach(setting.first),
                setting.edu,
                setting.iommufd);
        case 1 ->
            tell(
                "attach " + edu + " to " + setting.second.object,
                Expected.RETURNS,
                () -> edu.attach((Ioas) setting.second.object),
                setting.edu,
                setting.second,
                setting.iommufd);
        default -> // does nothing where it is not attached
            journal.perform(
                "detach " + edu,
                () -> gone(setting.edu, setting.iommufd),
                false,
                () -> edu.detach());
      }
    }

    private static Expected gone(Shared... owners) {
      return is(owner -> owner.begun, owners)
          ? Expected.RETURNS.or(Expected.CLOSED)
          : Expected.RETURNS;
    }

    private void enable() {
      VfioDevice many = (VfioDevice) setting.many.object;
      int own = random.nextInt(VECTORS);
      Vector vector = vectors[own];
      boolean enabled = vector.interrupt != null;
      ask(
              "enable vector " + (firstVector + own),
              enabled ? Expected.refused(DeviceBusyException.class) : Expected.RETURNS,
              () -> many.pci().irq(IrqKind.MSIX).enable(firstVector + own),
              setting.many,
              setting.iommufd)
          .ifPresent(
              interrupt -> {
                vector.interrupt = interrupt;
                vector.fired = 0;
              });
    }

    private void useVector() {
      Vector vector = vectors[random.nextInt(VECTORS)];
      Interrupt interrupt = vector.interrupt;
      if (interrupt == null) {
        return;
      }
      if (random.nextBoolean()) {
        if (tell(
            "trigger " + interrupt,
            Expected.RETURNS,
            interrupt::trigger,
            setting.many,
            setting.iommufd)) {
          vector.fired++;
        }
      } else {
        Duration patience = Duration.ofMillis(random.nextInt(2));
        ask(
                "await " + interrupt,
                Expected.RETURNS,
                () -> interrupt.await(patience),
                setting.many,
                setting.iommufd)
            .ifPresent(count -> isCount(vector, count));
      }
    }

    /**
     * The signal that wakes waiters when a vector is closed is not counted as one of the device's.
     */
    private void isCount(Vector vector, long count) {
      boolean closing = is(owner -> owner.begun, setting.many, setting.iommufd);
      journal.require(
          count == vector.fired || (closing && count == vector.fired + 1),
          "it fired " + count + " times, not " + vector.fired);
      vector.fired = 0;
    }

    private void closeVector() {
      Vector vector = vectors[random.nextInt(VECTORS)];
      Interrupt interrupt = vector.interrupt;
      if (interrupt != null) {
        journal.perform(
            "close " + interrupt,
            () -> gone(setting.many, setting.iommufd),
            false,
            () -> interrupt.close());
        vector.interrupt = null;
      }
    }

    private void register() {
      Shared shared = random.nextBoolean() ? setting.edu : setting.other;
      Shared owner = shared == setting.edu ? setting.iommufd : setting.container;
      VfioDevice device = (VfioDevice) shared.object;
      ask(
              "map registers of " + device,
              Expected.RETURNS,
              () -> device.region(0).map(),
              shared,
              owner)
          .ifPresent(
              region -> {
                ask("read " + region, Expected.RETURNS, () -> region.getInt(0), shared, owner)
                    .ifPresent(
                        id ->
                            journal.require(id == 0x010000ed || id == 0, "another number: " + id));
                journal.perform(
                    "close " + region, () -> Expected.RETURNS, false, () -> region.close());
              });
    }
  }

  /** What is asked of each owner. */
  @FunctionalInterface
  private interface Question {
    boolean of(Shared owner);
  }
}
