package io.github.vfio4j.vmm.passthrough;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.BaseAddress;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.vmm.bus.AddressMap;
import io.github.vfio4j.vmm.pci.PciHost;
import io.github.vfio4j.vmm.pci.Windows;
import io.github.vfio4j.vmm.pci.Windows.Window;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FixedBarsTest {
  private static final long SIZE = 0x10_0000;

  private final Windows memory =
      new Windows(
          new AddressMap(),
          List.of(new Window(0xc000_0000L, 0xdfff_ffffL), new Window(1L << 38, (1L << 39) - 1)));
  private final Windows ports = new Windows(new AddressMap(), List.of(new Window(0xc000, 0xffff)));
  private final ConfigOverlay config = new ConfigOverlay(new MemoryRegion(256));
  private final BarRegisters registers = new BarRegisters(config);

  private static FixedBars fixed(int number, long address) {
    return new FixedBars("edu", Map.of(number, address));
  }

  private static BaseAddress register(int number, BaseAddress.Kind kind) {
    return new BaseAddress(number, kind, true, 0, OptionalLong.empty());
  }

  @SuppressWarnings("NullAway") // nothing of it is mapped, so it needs no slots
  private static Bar bar(long size, Windows windows) {
    return new Bar(0, new MemoryRegion((int) Math.min(size, 256)), size, windows, null, null);
  }

  private Bar add(FixedBars fixed, BaseAddress register, long size, Windows windows)
      throws VfioException {
    Bar bar = bar(size, windows);
    registers.add(register, size, fixed.take(register, size, windows, bar), bar);
    return bar;
  }

  private void follow(int command) throws VfioException {
    config.write(4, 2, command);
    registers.follow();
  }

  @Test
  void registerBeginsWithTheAddressAndDoesAfterReset() throws VfioException {
    AddressMap seen = new AddressMap();
    Windows low = new Windows(seen, List.of(new Window(0xc000_0000L, 0xdfff_ffffL)));
    add(fixed(0, 0xda00_0000L), register(0, BaseAddress.Kind.MEMORY_32), SIZE, low);
    assertThat(config.read(0x10, 4)).isEqualTo(0xda00_0008);

    config.write(0x10, 4, -1);
    assertThat(config.read(0x10, 4)).as("its size").isEqualTo(0xfff0_0008);
    config.write(0x10, 4, 0xc000_0000);
    follow(2);
    assertThat(seen.read(0xc000_0000L, 4)).as("moved by the guest").isZero();
    assertThat(seen.read(0xda00_0000L, 4)).isEqualTo(-1);

    config.reset();
    registers.follow();
    assertThat(config.read(0x10, 4)).isEqualTo(0xda00_0008);
    assertThat(seen.read(0xc000_0000L, 4)).isEqualTo(-1);
    follow(2);
    assertThat(seen.read(0xda00_0000L, 4)).isZero();
  }

  @Test
  void wideRegisterAndPortsBeginWithTheirAddresses() throws VfioException {
    FixedBars fixed = new FixedBars("disk", Map.of(2, 0x7f_8000_0000L, 4, 0xd020L));
    add(fixed, register(2, BaseAddress.Kind.MEMORY_64), SIZE, memory);
    add(fixed, register(4, BaseAddress.Kind.IO), 32, ports);
    add(fixed, register(5, BaseAddress.Kind.MEMORY_32), SIZE, memory);

    assertThat(config.read(0x18, 4)).isEqualTo(0x8000_000c);
    assertThat(config.read(0x1c, 4)).isEqualTo(0x7f);
    assertThat(config.read(0x20, 4)).isEqualTo(0xd021);
    assertThat(config.read(0x24, 4)).as("not fixed").isEqualTo(8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0xda080000   | MEMORY_32 | that is no multiple of its size, 0x100000",
        "0x4000000000 | MEMORY_32 | its register has 32 bits, and reaches 4 GiB",
        "0x8000000    | MEMORY_32 | 0x100000 bytes of memory, which the guest has at"
            + " 0xc0000000-0xdfffffff and 0x4000000000-0x7fffffffff",
        "0xe0000000   | MEMORY_64 | which the guest has at 0xc0000000-0xdfffffff and",
        "0x100000000  | MEMORY_64 | which the guest has at 0xc0000000-0xdfffffff and",
        "0x8000000000 | MEMORY_64 | which the guest has at 0xc0000000-0xdfffffff and",
        "0xd0000000   | IO        | bytes of ports, which the guest has at 0xc000-0xffff"
      })
  void addressThatTheBarCannotHaveIsRefused(long address, BaseAddress.Kind kind, String why)
      throws VfioException {
    Windows windows = kind == BaseAddress.Kind.IO ? ports : memory;

    assertThatThrownBy(() -> add(fixed(1, address), register(1, kind), SIZE, windows))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("fix BAR 1 at 0x%x on edu: ".formatted(address))
        .hasMessageContaining(why);

    assertThat(config.read(0x14, 4)).isZero();
  }

  @Test
  void addressesAreKeptFromOthersUntilTheBarIsClosed() throws VfioException {
    BaseAddress register = register(0, BaseAddress.Kind.MEMORY_32);
    Bar first = add(fixed(0, 0xd000_0000L), register, 2 * SIZE, memory);
    FixedBars second = new FixedBars("disk", Map.of(1, 0xd000_0000L + SIZE));
    BaseAddress other = register(1, BaseAddress.Kind.MEMORY_32);
    assertThatThrownBy(() -> add(second, other, SIZE, memory))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("on disk: another fixed BAR is in its 0x100000 bytes");

    Closing closing = new Closing();
    first.close(closing);
    closing.rethrow();

    add(second, other, SIZE, memory);
  }

  @Test
  void whatNoDeviceCanHaveIsRefusedBeforeOneIsOpened() throws VfioException {
    PciHost host = new PciHost(memory, ports, 16);
    for (long address : new long[] {0x1000, 0xbfff_f000L, 0xe000_0000L, 1L << 39}) {
      assertThatThrownBy(() -> fixed(0, address).requireWindows(host))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("the guest has memory of devices at 0xc0000000-0xdfffffff and")
          .hasMessageContaining("and ports at 0xc000-0xffff");
    }
    fixed(0, 0xc000).requireWindows(host);
    fixed(0, 1L << 38).requireWindows(host);
  }

  @Test
  void barThatTheDeviceHasNotIsRefused() throws VfioException {
    assertThatThrownBy(() -> fixed(3, 0xd000_0000L).requireAmong(Set.of(2)))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("fix BAR 3 at 0xd0000000 on edu: it has no such BAR: it has [2]");
    fixed(2, 0xd000_0000L).requireAmong(Set.of(2));
  }
}
