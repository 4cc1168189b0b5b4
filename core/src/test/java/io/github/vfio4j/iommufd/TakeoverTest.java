package io.github.vfio4j.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.Errno;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Step;
import io.github.vfio4j.pci.IoEventFd;
import io.github.vfio4j.takeover.RunningIommufd;
import io.github.vfio4j.takeover.RunningText;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An iommufd with all that is in it is another object's from some moment on, or stays as it is. */
class TakeoverTest {
  private static final long PAGE = 4096;
  private static final long IOVA = 0x10000;

  @TempDir Path root;
  private final List<Fd> files = new ArrayList<>();
  private FakeMachine machine;
  private MemoryFile memory;
  private Iommufd iommufd;
  private Ioas ioas;
  private CdevDevice device;
  private HwptPaging table;
  private Interrupt interrupt;

  @BeforeEach
  void run() throws VfioException {
    machine = new FakeMachine(root);
    memory = MemoryFiles.create(machine.kernel, "memory", 2 * PAGE);
    iommufd = Iommufd.open(machine.host);
    ioas = iommufd.allocateIoas();
    ioas.mapFile(memory, 0, IOVA, 2 * PAGE, DmaAccess.READ_WRITE);
    device = iommufd.bind(machine.device());
    table = ioas.allocateHwpt(device, HwptFlag.DIRTY_TRACKING);
    device.attach(table);
    interrupt = device.pci().msix().enable(0, 2).getLast();
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    iommufd.close();
    memory.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private RunningIommufd describe() throws VfioException {
    files.clear();
    RunningIommufd running = iommufd.describe(files::add);
    assertThat(files).hasSize(running.fileCount());
    return RunningText.read(RunningText.write(running, 0, new byte[0]), "a test").running();
  }

  private Iommufd takeOver() throws VfioException {
    return Iommufd.takeOver(machine.host, describe(), files.iterator());
  }

  @Test
  void itGoesOnAsAnotherObject() throws VfioException {
    machine.interrupts.raise(interrupt);
    Iommufd taken = takeOver();
    machine.kernel.log().clear();
    iommufd.leave();

    assertThat(machine.kernel.log()).isEmpty();
    assertThat(device.isClosed()).isTrue();
    assertThatIllegalStateException().isThrownBy(() -> ioas.unmap(IOVA, 2 * PAGE));
    assertThatIllegalStateException().isThrownBy(interrupt::trigger);
    assertThat(machine.kernel.has(table.id())).isTrue();
    try (taken) {
      Ioas space = taken.addressSpaces().getFirst();
      CdevDevice again = taken.devices().getFirst();
      assertThat(again.name()).isEqualTo(device.name());
      assertThat(again.id()).isEqualTo(device.id());
      HwptPaging attached = (HwptPaging) again.attached().orElseThrow();
      assertThat(attached.id()).isEqualTo(table.id());
      assertThat(attached.flags()).containsExactly(HwptFlag.DIRTY_TRACKING);
      assertThat(attached.ioas()).isSameAs(space);
      assertThat(again.hwptId()).hasValue(table.id());
      assertThatThrownBy(() -> space.mapFile(memory, 0, IOVA, PAGE, DmaAccess.READ))
          .isInstanceOf(IovaInUseException.class);

      List<Interrupt> interrupts = new ArrayList<>();
      again.engine().forEachVector((index, vector, event) -> interrupts.add(vector));
      assertThat(interrupts).extracting(Interrupt::vector).containsExactly(0, 2);
      assertThat(interrupts.getLast().awaitNanos(0)).isEqualTo(1);
      interrupts.getLast().close();

      assertThatThrownBy(attached::close).isInstanceOf(VfioException.class);
      again.attach(space);
      attached.close();
      space.unmap(IOVA, 2 * PAGE);
      space.mapFile(memory, 0, IOVA, PAGE, DmaAccess.READ);
    }
  }

  @Test
  void whatIsLeftAgainStaysWithTheFirst() throws VfioException {
    List<String> before = machine.kernel.leftOpen();

    takeOver().leave();

    assertThat(machine.kernel.leftOpen()).isEqualTo(before);
    assertGoesOn();
  }

  private void assertGoesOn() throws VfioException {
    machine.interrupts.raise(interrupt);
    assertThat(interrupt.awaitNanos(0)).isEqualTo(1);
    assertThat(device.attached()).contains(table);
    ioas.unmap(IOVA, 2 * PAGE);
    ioas.mapFile(memory, 0, IOVA, 2 * PAGE, DmaAccess.READ_WRITE);
  }

  @Test
  void whateverCallFailsItStaysWithTheFirst() throws VfioException {
    List<String> before = machine.kernel.leftOpen();
    int failures = 0;
    for (int call = 1; ; call++) {
      RunningIommufd running = describe();
      machine.kernel.failCall(call, Errno.EIO);
      try {
        Iommufd.takeOver(machine.host, running, files.iterator()).leave();
      } catch (VfioException e) {
        failures++;
        assertThat(machine.kernel.hasFailed()).as("it works when nothing fails: %s", e).isTrue();
      }
      boolean failed = machine.kernel.hasFailed();
      machine.kernel.failCall(-1, Errno.EIO);
      assertThat(machine.kernel.leftOpen()).as("after call %d failed", call).isEqualTo(before);
      assertGoesOn();
      if (!failed) {
        break;
      }
    }
    assertThat(failures).isGreaterThan(5);
  }

  @Test
  void whateverCallThrowsItStaysWithTheFirst() throws VfioException {
    List<String> before = machine.kernel.leftOpen();
    boolean thrown = true;
    for (int call = 1; thrown; call++) {
      RunningIommufd running = describe();
      Error error = new LinkageError("not linked, for a test");
      machine.kernel.throwFromCall(call, error);
      try {
        Iommufd.takeOver(machine.host, running, files.iterator()).leave();
        thrown = false;
      } catch (LinkageError e) {
        assertThat(e).isSameAs(error);
      }
      assertThat(machine.kernel.leftOpen()).as("after call %d threw", call).isEqualTo(before);
    }
    machine.kernel.failCall(-1, Errno.EIO);
    assertGoesOn();
  }

  @Test
  void filesOfSomethingElseAreRefused() throws VfioException {
    List<String> before = machine.kernel.leftOpen();
    RunningIommufd running = describe();

    assertThatThrownBy(() -> Iommufd.takeOver(machine.host, running, files.reversed().iterator()))
        .isInstanceOf(VfioException.class);

    assertThat(machine.kernel.leftOpen()).isEqualTo(before);
    assertGoesOn();
  }

  /** Closing its file would end nothing, as whoever has bound it has it, too. */
  @Test
  void whatIsAddedToADeviceOfSomebodyElseEndsWithTheObjectHere() throws VfioException {
    describe();
    int shared = files.getFirst().acquire();
    int bound = files.get(1).acquire();
    try (Iommufd other = Iommufd.ofFd(machine.host, shared);
        CdevDevice same = other.takeBound(bound, device.id())) {
      IoEventFd.ofInt(same, 0, 8, 1);
      assertThat(machine.ioEvents.count()).isEqualTo(1);
    } finally {
      assertThat(machine.ioEvents.count()).isZero();
      files.getFirst().release();
      files.get(1).release();
    }
  }

  @Test
  void deviceThatIsThereTwiceIsRefused() throws VfioException {
    RunningIommufd running = describe();
    RunningIommufd.Device one = running.devices().getFirst();
    List<RunningIommufd.Device> twice = List.of(one, one);
    files.addAll(List.copyOf(files.subList(1, files.size())));

    assertThatThrownBy(
            () ->
                Iommufd.takeOver(
                    machine.host,
                    new RunningIommufd(running.addressSpaces(), twice),
                    files.iterator()))
        .hasMessageContaining("two objects of the number " + one.id());

    assertGoesOn();
  }

  @Test
  void fileThatIsNoEventfdIsNoInterrupt() throws VfioException {
    RunningIommufd running = describe();
    files.set(files.size() - 1, files.getFirst());

    assertThatThrownBy(() -> Iommufd.takeOver(machine.host, running, files.iterator()))
        .hasMessageContaining("it is no eventfd that is read without blocking");

    assertGoesOn();
  }

  private void assertRefused(String what, Step undo) throws VfioException {
    assertThatThrownBy(this::describe)
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("hand over on /dev/iommu")
        .hasMessageContaining(what)
        .hasMessageContaining("cannot be taken over by another process");
    undo.run();
    describe();
  }

  @Test
  void whatCannotBeTakenOverIsRefusedAndNamed() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      ioas.map(arena.allocate(PAGE, PAGE), 0x100000, DmaAccess.READ);
      assertRefused(
          "0x1000 bytes at 0x100000 of " + ioas + " are memory of this process alone",
          () -> ioas.unmap(0x100000, PAGE));
    }
    HwptPaging unused = ioas.allocateHwpt(device);
    assertRefused(unused + ", to which no device is attached", unused::close);
    FaultQueue faults = iommufd.allocateFaultQueue();
    assertRefused(faults.toString(), faults::close);
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == Ioctl.IOMMU_GET_HW_INFO) {
            iommu_hw_info.out_max_pasid_log2(reply, (byte) 1);
          }
        });
    device.attach(ioas, 1);
    assertRefused("PASIDs of " + device, () -> device.detach(1));
    IoEventFd doorbell = IoEventFd.ofInt(device, 0, 8, 1);
    assertRefused(doorbell.toString(), doorbell::close);
    try (EventDispatcher dispatcher = EventDispatcher.start()) {
      EventDispatcher.Registration handler = dispatcher.register(interrupt, (_, _) -> {});
      assertRefused("the handler of " + interrupt, handler::close);
    }
    device.pci().msix().disable();
    Interrupt line = device.pci().intx().enable(0);
    Interrupt.Resample resample = line.resample();
    assertRefused(resample.toString(), resample::close);
    line.close();
    HwptPaging parent = ioas.allocateHwpt(device, HwptFlag.NEST_PARENT);
    device.attach(parent);
    table.close();
    Viommu viommu = parent.allocateViommu(device, Viommu.ARM_SMMUV3);
    assertRefused("what was made from " + parent, viommu::close);
  }
}
