package io.github.vfio4j.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_irq_info;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of enabled vectors where a backend throws while more are enabled. */
class IrqVectorsTest {
  /** What setting interrupts throws, in turn; nothing once it is empty. */
  private final Deque<Optional<Throwable>> outcomes = new ArrayDeque<>();

  private IrqVectors msix;
  private Interrupt first;

  @BeforeEach
  void enableOne() throws VfioException {
    DeviceChannel channel =
        (DeviceChannel)
            Proxy.newProxyInstance(
                DeviceChannel.class.getClassLoader(),
                new Class<?>[] {DeviceChannel.class},
                (proxy, method, arguments) -> answer(method.getName(), arguments));
    msix = IrqVectors.read(Kernel.running(), channel, vfio_h.VFIO_PCI_MSIX_IRQ_INDEX, true);
    first = msix.enable(0);
  }

  private Object answer(String method, Object... arguments) throws Throwable {
    return switch (method) {
      case "name" -> "test";
      case "irqInfo" -> {
        MemorySegment info = (MemorySegment) arguments[0];
        vfio_irq_info.flags(info, vfio_h.VFIO_IRQ_INFO_EVENTFD | vfio_h.VFIO_IRQ_INFO_NORESIZE);
        vfio_irq_info.count(info, 4);
        yield 0;
      }
      case "setIrqs" -> {
        Optional<Throwable> failure = Optional.ofNullable(outcomes.poll()).flatMap(next -> next);
        if (failure.isPresent()) {
          throw failure.get();
        }
        yield 0;
      }
      default -> throw new AssertionError(method);
    };
  }

  static List<Throwable> everyKindOfFailure() {
    return List.of(new IllegalStateException("closed"), new LinkageError("not linked"));
  }

  @ParameterizedTest
  @MethodSource("everyKindOfFailure")
  void whateverIsThrownWhatWasEnabledComesBack(Throwable failure) throws VfioException {
    outcomes.addAll(List.of(Optional.empty(), Optional.of(failure)));

    assertThatThrownBy(() -> msix.enable(3)).isSameAs(failure).hasNoSuppressedExceptions();

    assertThat(outcomes).isEmpty();
    assertThat(first.isClosed()).isFalse();
    assertThatExceptionOfType(DeviceBusyException.class).isThrownBy(() -> msix.enable(0));
    msix.enable(3);
    msix.disable();
  }

  @Test
  void whereThatThrowsTooNothingIsEnabledAndBothAreTold() throws VfioException {
    IllegalStateException failure = new IllegalStateException("first");
    LinkageError another = new LinkageError("second");
    outcomes.addAll(List.of(Optional.empty(), Optional.of(failure), Optional.of(another)));

    assertThatThrownBy(() -> msix.enable(3)).isSameAs(failure);

    assertThat(failure.getSuppressed()).containsExactly(another);
    assertThat(first.isClosed()).isTrue();
    msix.enable(0);
    msix.disable();
  }
}
