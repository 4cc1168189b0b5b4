package io.github.vfio4j.vmm.x86;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.board.Board;
import io.github.vfio4j.vmm.board.Orders;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PowerPortsTest {
  private final List<String> orders = new ArrayList<>();

  private final PowerPorts ports =
      new PowerPorts(
          new Orders() {
            @Override
            public void powerOff() {
              orders.add("off");
            }

            @Override
            public void functionGone(int slot) {}

            @Override
            public void memoryGone(Board.MemoryRange range) {}

            @Override
            public void reset() {
              orders.add("reset");
            }
          });

  @Test
  void isInTheModeOfAcpi() throws VfioException {
    assertThat(ports.control().read(0, 2)).isEqualTo(1);
  }

  @Test
  void turnsOffForThatSleepAlone() throws VfioException {
    ports.control().write(0, 2, 5 << 10);
    ports.control().write(0, 2, 1 << 13 | 3 << 10);
    assertThat(orders).isEmpty();

    ports.control().write(0, 2, 1 << 13 | 5 << 10 | 1);

    assertThat(orders).containsExactly("off");
  }

  @Test
  void resetsByBothWays() throws VfioException {
    ports.resetPort().write(0, 1, 2);
    ports.keyboard().write(0, 1, 0xed);
    assertThat(orders).isEmpty();

    ports.resetPort().write(0, 1, PowerPorts.RESET_VALUE);
    ports.keyboard().write(0, 1, 0xfe);

    assertThat(orders).containsExactly("reset", "reset");
  }

  @Test
  void timerAdvancesAsItsFrequencySays() throws VfioException {
    long nanos = System.nanoTime();
    long before = ports.timer().read(0, 4);
    long ticks;
    do {
      ticks = ports.timer().read(0, 4) - before;
    } while (ticks < 10_000);
    long most = (System.nanoTime() - nanos) * 3_579_545 / 1_000_000_000 + 2;
    assertThat(ticks).isLessThanOrEqualTo(most);
  }
}
