package io.github.vfio4j.kerneltests.selftests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.kerneltests.VirtualFunction;
import io.github.vfio4j.kerneltests.selftests.Counterpart.Ended;
import io.github.vfio4j.kerneltests.selftests.SelftestProgram.Case;
import io.github.vfio4j.kerneltests.selftests.SelftestProgram.Said;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The kernel's own tests of VFIO are a second judge: each program runs its cases on a device, then
 * this library does the same there, and both must have come to the same end. {@code lab/selftests}
 * compiles the programs, and runs all cases; {@code lab/test} leaves out those that take long.
 *
 * <p>The programs take no device that has a mappable BAR of less than a page, such as ivshmem's:
 * they fail to reserve addresses for it ({@code mmap_reserve}).
 */
@OnMachine(value = "intel/legacy", since = "7.0")
class KernelSelftestsTest {
  /** Where {@code lab/selftests} puts the programs. */
  private static final Path PROGRAMS = Path.of("target/selftests");

  private static final boolean ALL = Boolean.getBoolean("io.github.vfio4j.selftests.all");

  private static final String EDU = "0000:00:05.0";
  private static final String EDU_2 = "0000:00:0b.0";
  private static final String IGB = "0000:01:00.0";

  /**
   * A program and its devices.
   *
   * @param program the file
   * @param sooner the options with which it does not take long
   * @param devices what it is given
   * @param virtual whether it makes itself a virtual function of the device, and ends it
   */
  record Run(String program, List<String> sooner, List<PciAddress> devices, boolean virtual) {
    static Run of(String program, String... devices) {
      return new Run(program, List.of(), Stream.of(devices).map(PciAddress::of).toList(), false);
    }

    Run sooner(String... options) {
      return new Run(program, List.of(options), devices, virtual);
    }

    Run withVirtualFunction() {
      return new Run(program, sooner, devices, true);
    }
  }

  static Stream<Run> runs() {
    return Stream.of(
        Run.of("vfio_iommufd_setup_test", EDU),
        Run.of("vfio_pci_device_test", EDU),
        Run.of("vfio_pci_device_test", IGB),
        Run.of("vfio_dma_mapping_test", EDU),
        Run.of("vfio_dma_mapping_mmio_test", EDU),
        Run.of("vfio_dma_mapping_mmio_test", IGB),
        // VfTokenTest runs ours, all of them
        Run.of("vfio_pci_sriov_uapi_test", IGB)
            .withVirtualFunction()
            .sooner("-t", "override_token"),
        Run.of("vfio_pci_device_init_perf_test", EDU, IGB, EDU_2),
        // each of its cases pins a gigabyte, and this one does what the others do
        Run.of("vfio_pci_driver_test", IGB)
            .sooner("-r", "vfio_pci_driver_test.iommufd.mix_and_match"));
  }

  @ParameterizedTest
  @MethodSource("runs")
  @Timeout(value = 40, unit = TimeUnit.MINUTES)
  void bothComeToTheSameEnd(Run run) throws Exception {
    Deque<DriverBinding> bindings = new ArrayDeque<>();
    try {
      for (PciAddress device : run.devices) {
        bindings.push(DriverBinding.bind(Sysfs.host(), device));
      }
      compare(run);
    } finally {
      for (DriverBinding binding : bindings) {
        binding.close();
      }
    }
  }

  private static void compare(Run run) throws Exception {
    Path file = PROGRAMS.resolve(run.program);
    assertThat(file).as("compiled by lab/selftests").exists();
    long start = System.nanoTime();
    Said theirs = new SelftestProgram(file).run(ALL ? List.of() : run.sooner, run.devices);
    long between = System.nanoTime();
    assertThat(theirs.outcomes()).as("%s", theirs.text()).isNotEmpty();
    if (run.virtual) {
      try (VirtualFunction function = VirtualFunction.of(run.devices.getFirst())) {
        compare(run, theirs, List.of(run.devices.getFirst(), function.device().address()));
      }
    } else {
      compare(run, theirs, run.devices);
    }
    System.out.printf(
        "%s: %d cases of the kernel's, %d of them skipped, in %d ms, ours in %d ms%n",
        run.program,
        theirs.outcomes().size(),
        Collections.frequency(theirs.outcomes().values(), Outcome.SKIPPED),
        TimeUnit.NANOSECONDS.toMillis(between - start),
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - between));
  }

  private static void compare(Run run, Said theirs, List<PciAddress> devices) throws Exception {
    Map<Case, Counterpart> counterparts =
        Counterparts.of(run.program).stream()
            .collect(Collectors.toMap(Counterpart::kernels, Function.identity()));
    if (ALL) {
      assertThat(theirs.outcomes().keySet()).isEqualTo(counterparts.keySet());
    } else {
      assertThat(counterparts.keySet()).containsAll(theirs.outcomes().keySet());
    }
    Map<String, String> expected = new TreeMap<>();
    Map<String, String> actual = new TreeMap<>();
    theirs
        .outcomes()
        .forEach(
            (kernels, outcome) -> {
              Ended ours = counterparts.get(kernels).end(devices);
              expected.put(kernels.toString(), outcome.toString());
              actual.put(
                  kernels.toString(),
                  (ours.outcome() == Outcome.FAILED ? ours.why() : ours.outcome()).toString());
              if (ours.outcome() == Outcome.FAILED) {
                ours.why().ifPresent(Throwable::printStackTrace);
              }
            });
    assertThat(actual).as("%s", theirs.text()).isEqualTo(expected);
  }
}
