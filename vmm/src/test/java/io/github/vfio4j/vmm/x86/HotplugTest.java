package io.github.vfio4j.vmm.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.board.Board.MemoryRange;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HotplugTest {
  private static final long GRANULE = 128L << 20;
  private static final long BASE = 1L << 32;

  private final List<Boolean> line = new ArrayList<>();
  private final List<Integer> letGo = new ArrayList<>();
  private final GeneralEvents events = new GeneralEvents(line::add);
  private final Hotplug hotplug = new Hotplug(events, 1, letGo::add);

  @Test
  void eventAssertsTheLineUntilItsStatusIsCleared() throws VfioException {
    hotplug.came(3);
    assertThat(line).isEmpty(); // not enabled yet
    events.write(1, 1, 0xff);
    assertThat(line).containsExactly(true);
    assertThat(events.read(0, 1) & 0xff).isEqualTo(2);
    assertThat(events.read(0, 2) & 0xffff).isEqualTo(0xff02);

    events.write(0, 1, 2);

    assertThat(line).containsExactly(true, false);
    hotplug.wantBack(4);
    assertThat(line).containsExactly(true, false, true);
    events.reset();
    assertThat(line).endsWith(false);
  }

  @Test
  void guestReadsOnceWhatHasComeAndWhatIsWantedBack() throws VfioException {
    hotplug.came(3);
    hotplug.came(31);
    hotplug.wantBack(5);

    assertThat(hotplug.read(Hotplug.CAME, 4)).isEqualTo(0x8000_0008L);
    assertThat(hotplug.read(Hotplug.CAME, 4)).isZero();
    assertThat(hotplug.read(Hotplug.WANTED, 4)).isEqualTo(1 << 5);
    assertThat(hotplug.read(Hotplug.WANTED, 4)).isZero();

    hotplug.write(Hotplug.LET_GO, 4, 1 << 5);
    assertThat(letGo).containsExactly(5);
  }

  @Test
  void memoryTakesPlacesThatDoNotOverlap() throws VfioException {
    MemoryModules modules = new MemoryModules(BASE + 1, BASE + 6 * GRANULE - 1);
    MemoryRange first = modules.take(GRANULE);
    MemoryRange second = modules.take(2 * GRANULE);
    assertThat(first.address()).isEqualTo(BASE + GRANULE);
    assertThat(second.address()).isEqualTo(BASE + 2 * GRANULE);
    assertThatThrownBy(() -> modules.take(3 * GRANULE)).hasMessageContaining("no place left");
    assertThatThrownBy(() -> modules.take(4096)).hasMessageContaining("multiples of 128 MiB");

    modules.free(first);

    assertThat(modules.take(2 * GRANULE).address()).isEqualTo(BASE + 4 * GRANULE);
    assertThatThrownBy(() -> modules.index(BASE + GRANULE))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("the guest has let it go already");
    modules.free(first); // again, which is none any more
    assertThat(modules.index(second.address())).isEqualTo(1);
  }

  @Test
  void portsTellWhereMemoryIs() throws VfioException {
    MemoryModules modules = new MemoryModules(BASE, BASE + 6 * GRANULE - 1);
    modules.take(GRANULE);
    modules.take(GRANULE);

    long second = MemoryModules.WINDOW;
    assertThat(modules.read(second, 4) & 0xffff_ffffL).isEqualTo(GRANULE);
    assertThat(modules.read(second + 4, 4)).isEqualTo(1);
    assertThat(modules.read(second + 8, 4) & 0xffff_ffffL).isEqualTo(2 * GRANULE - 1);
    assertThat(modules.read(second + 16, 4)).isEqualTo(GRANULE);
    assertThat(modules.read(2 * second, 4)).isZero();
  }
}
