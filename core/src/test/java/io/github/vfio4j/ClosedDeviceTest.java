package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.outcome.Step;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A closed device hands out nothing, and is told by the name that its user knows. */
class ClosedDeviceTest {
  @TempDir Path root;

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void everyUseIsRefusedByTheDevicesName(Backend backend) throws VfioException {
    FakeMachine machine = new FakeMachine(root);
    VfioDevice device = machine.open(backend);
    Region region = device.region(0);
    MappedRegion mapped = region.map();
    ConfigSpace config = device.pci().config();
    IrqIndex kind = device.pci().msix();
    Interrupt interrupt = kind.enable(0);
    MemorySegment memory = Arena.ofAuto().allocate(8);
    device.close();

    Map<String, Step> uses = new LinkedHashMap<>();
    uses.put("region that was looked up", () -> device.region(0));
    uses.put("another region", () -> device.region(1));
    uses.put("read", () -> region.read(0, memory));
    uses.put("write", () -> region.write(0, memory));
    uses.put("map", region::map);
    uses.put("mapped", () -> mapped.getInt(0));
    uses.put("configuration", config::vendorId);
    uses.put("interrupts that were looked up", () -> device.irq(kind.index()));
    uses.put("other interrupts", () -> device.irq(0));
    uses.put("enable", () -> kind.enable(1));
    uses.put("await", () -> interrupt.await(Duration.ZERO));
    uses.put("trigger", interrupt::trigger);
    uses.put("reset", device::reset);
    uses.forEach(
        (what, use) ->
            assertThatIllegalStateException()
                .as(what)
                .isThrownBy(use::run)
                .withMessageContaining(FakeMachine.ADDRESS.toString())
                .withMessageContaining("is closed")
                .withMessageNotContaining("/dev/"));
  }
}
