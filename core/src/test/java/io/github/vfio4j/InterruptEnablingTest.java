package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.IrqIndex.TooFewVectorsException;
import io.github.vfio4j.fake.FakeInterrupts;
import io.github.vfio4j.fake.FakeMachine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Vectors that the kernel does not enable are not counted as enabled, and cost no others. */
class InterruptEnablingTest {
  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;
  private List<String> openBefore;

  @BeforeEach
  void open() throws VfioException {
    machine = new FakeMachine(root);
    device = machine.open(Backend.IOMMUFD);
    openBefore = machine.kernel.leftOpen();
  }

  @AfterEach
  void close() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private void assertFires(Interrupt interrupt) throws VfioException {
    machine.interrupts.raise(interrupt);
    assertThat(interrupt.await(Duration.ZERO)).isEqualTo(1);
  }

  private void assertNothingIsEnabled() {
    assertThat(machine.interrupts.enabled()).isZero();
    assertThat(machine.kernel.leftOpen()).isEqualTo(openBefore);
  }

  @Test
  void anAnswerAboveZeroSaysHowManyVectorsThereAre() throws VfioException {
    IrqIndex msi = device.pci().msi();
    machine.interrupts.available(2);

    assertThatExceptionOfType(TooFewVectorsException.class)
        .isThrownBy(() -> msi.enable(0, 1, 2))
        .satisfies(e -> assertThat(e.errno()).isEmpty())
        .satisfies(e -> assertThat(e.available()).isEqualTo(2))
        .withMessageContaining("only the first 2 vectors can be had here, not 3");

    assertNothingIsEnabled();
    List<Interrupt> fewer = msi.enable(0, 1);
    assertFires(fewer.getFirst());
    assertFires(fewer.getLast());
  }

  @Test
  void aDriverGoesOnWithAsManyVectorsAsThereAre() throws VfioException {
    IrqIndex msi = device.pci().msi();
    machine.interrupts.available(2);

    List<Interrupt> two = msi.enableUpTo(3);

    assertThat(two).extracting(Interrupt::vector).containsExactly(0, 1);
    assertFires(two.getLast());
    assertThatExceptionOfType(DeviceBusyException.class).isThrownBy(() -> msi.enableUpTo(1));
    msi.disable();
    machine.interrupts.available(FakeInterrupts.VECTORS);
    assertThat(msi.enableUpTo(Integer.MAX_VALUE)).hasSize(FakeInterrupts.VECTORS);
    msi.disable();
    machine.interrupts.available(0);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> msi.enableUpTo(2))
        .satisfies(e -> assertThat(e.errno()).contains(Errno.ENOSPC));
    assertThatIllegalArgumentException().isThrownBy(() -> msi.enableUpTo(0));
    assertNothingIsEnabled();
  }

  @Test
  void vectorsThatCannotBeHadCostNoneOfThoseThatWereEnabled() throws VfioException {
    IrqIndex msix = device.pci().msix();
    assertThat(msix.resizable()).isFalse();
    Interrupt first = msix.enable(0);
    machine.interrupts.available(2);

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> msix.enable(3))
        .satisfies(e -> assertThat(e.errno()).isEmpty())
        .withMessageContaining("only the first 2 vectors");

    assertThat(machine.interrupts.enabled()).isEqualTo(1);
    assertFires(first);
    assertFires(msix.enable(1));
    assertFires(first);
  }

  @Test
  void vectorsThatAreAddedOneByOneAreAddedAllOrNone() throws VfioException {
    machine.interrupts.resizable();
    IrqIndex msix = device.pci().msix();
    assertThat(msix.resizable()).isTrue();
    Interrupt first = msix.enable(0);
    machine.interrupts.available(2);

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> msix.enable(2, 3))
        .satisfies(e -> assertThat(e.errno()).contains(Errno.ENOSPC));

    assertThat(machine.interrupts.enabled()).isEqualTo(1);
    assertFires(first);
    assertFires(msix.enable(3));
    assertFires(first);
  }

  @Test
  void whereWhatWasEnabledCannotComeBackBothFailuresAreToldAndNothingIsEnabled()
      throws VfioException {
    IrqIndex msix = device.pci().msix();
    Interrupt first = msix.enable(0);
    machine.interrupts.refuseEnabling(Errno.ENOSPC, Errno.ENOMEM);

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> msix.enable(3))
        .satisfies(e -> assertThat(e.errno()).contains(Errno.ENOSPC))
        .satisfies(
            e ->
                assertThat(e.getSuppressed())
                    .singleElement()
                    .isInstanceOfSatisfying(
                        VfioException.class,
                        second -> assertThat(second.errno()).contains(Errno.ENOMEM)));

    assertNothingIsEnabled();
    assertThat(first.isClosed()).isTrue();
    assertThatIllegalStateException().isThrownBy(() -> first.await(Duration.ZERO));
    int calls = machine.kernel.log().size();
    first.close();
    msix.disable();
    assertThat(machine.kernel.log()).hasSize(calls);
    assertFires(msix.enable(0));
  }

  @Test
  void aKindCanBeEnabledAfterAnotherWasRefusedBecauseOfIt() throws VfioException {
    Interrupt msi = device.pci().msi().enable(0);
    IrqIndex msix = device.pci().msix();

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> msix.enable(0))
        .satisfies(e -> assertThat(e.errno()).contains(Errno.EINVAL));

    assertFires(msi);
    msi.close();
    assertFires(msix.enable(0));
  }

  @Test
  void vectorsThatAnotherThreadChangesAreReadOnce() throws Exception {
    IrqIndex msix = device.pci().msix();
    int[] vectors = {0};
    AtomicBoolean done = new AtomicBoolean();
    Thread other =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done.get()) {
                    vectors[0] = 1000 - vectors[0];
                  }
                });
    try {
      for (int round = 0; round < 2000; round++) {
        try {
          assertThat(msix.enable(vectors)).extracting(Interrupt::vector).containsExactly(0);
        } catch (IndexOutOfBoundsException e) {
          assertThat(e).hasMessageContaining("no vector 1000");
        }
        msix.disable();
      }
    } finally {
      done.set(true);
      other.join();
    }
  }
}
