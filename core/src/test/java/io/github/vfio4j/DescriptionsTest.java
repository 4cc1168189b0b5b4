package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.event.Dispatchers;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.InvalidationBatch;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.iommufd.MemoryFiles;
import io.github.vfio4j.smmuv3.CommandBatch;
import io.github.vfio4j.smmuv3.Stage1Tables;
import io.github.vfio4j.sysfs.DriverBinding;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is printed says what it is, also when it is closed, and asks the kernel nothing. */
class DescriptionsTest {
  private static final String FORMER = "snd_hda_intel";

  @TempDir Path root;

  @Test
  void everyObjectDescribesItselfBeforeAndAfterItsEnd() throws VfioException {
    FakeMachine machine = new FakeMachine(root, FORMER);
    DriverBinding binding = DriverBinding.bind(machine.files.sysfs(), FakeMachine.ADDRESS);
    Iommufd iommufd = Iommufd.open(machine.host);
    CdevDevice device = iommufd.bind(machine.device());
    Ioas ioas = iommufd.allocateIoas();
    device.attach(ioas);
    DmaBuffer buffer = ioas.allocate(4096);
    MappedRegion registers = device.pci().bar(0).map();
    EventDispatcher dispatcher = Dispatchers.start(machine.kernel);
    Interrupt vector = device.pci().msix().enable(3);
    EventDispatcher.Registration registration = dispatcher.register(vector, (_, _) -> {});
    MemoryFile file = MemoryFiles.create(machine.kernel, "guest", 8192);
    CommandBatch commands = new CommandBatch(4).tlbiNhAsid(1);

    Map<Object, String> open = new LinkedHashMap<>();
    open.put(binding, "0000:00:05.0 bound to vfio-pci");
    open.put(device.pci().config(), "configuration space, region 7 of 0000:00:05.0");
    open.put(
        buffer, "DMA buffer of 0x1000 bytes at IOVA 0x%x of %s".formatted(buffer.iova(), ioas));
    open.put(registers, "0x2000 bytes at 0x0 of region 0 of 0000:00:05.0");
    open.put(dispatcher, "event dispatcher");
    open.put(registration, "deliveries of vector 3 of MSI-X of 0000:00:05.0");
    open.put(file, "memory file guest of 0x2000 bytes");
    open.put(commands, "commands for SMMUv3: 1 of 4 invalidations of type 0x1");
    open.put(InvalidationBatch.vtdS1(8), "0 of 8 invalidations of type 0x0");
    open.put(
        new Stage1Tables(Arena.ofAuto().allocate(8192, 4096), 0x4000_0000, 39),
        "1 stage-1 tables in 0x2000 bytes at 0x40000000");
    open.put(machine.files.sysfs(), "sysfs of the host at " + root);
    assertDescribed(machine, open);

    registration.close();
    dispatcher.close();
    iommufd.close();
    file.close();
    binding.close();

    open.computeIfPresent(binding, (_, words) -> words + ", given back");
    open.computeIfPresent(registration, (_, words) -> words + ", ended");
    for (Object closed : new Object[] {buffer, registers, dispatcher, file}) {
      open.computeIfPresent(closed, (_, words) -> words + ", closed");
    }
    assertDescribed(machine, open);
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static void assertDescribed(FakeMachine machine, Map<Object, String> described) {
    machine.kernel.failCall(1, Errno.EIO);
    assertThat(described).allSatisfy((object, words) -> assertThat(object).hasToString(words));
    assertThat(machine.kernel.hasFailed()).as("the kernel was called").isFalse();
    machine.kernel.failCall(Integer.MAX_VALUE, Errno.EIO);
  }
}
