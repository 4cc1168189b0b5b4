package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Root, who may lock memory as it likes, is not bound by the limit. */
@OnMachine(OnMachine.IOMMU)
@Bound(Device.EDU)
class MemlockTest {
  private static final int LIMIT = 64 << 10;
  private static final Pattern LOCKED = Pattern.compile("Max locked memory +(\\w+) .*");

  private static String former = "";

  @BeforeAll
  static void limit() throws IOException {
    former =
        Files.readAllLines(Path.of("/proc/self/limits")).stream()
            .map(LOCKED::matcher)
            .filter(line -> line.matches())
            .map(line -> line.group(1))
            .findAny()
            .orElseThrow();
    setLimit("" + LIMIT);
  }

  @AfterAll
  static void liftTheLimit() throws IOException {
    setLimit(former);
  }

  @EachBackend
  void rootMayLockMoreThanTheLimit(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend);
        DmaMapping mapping =
            device.addressSpace().map(EduDma.pages(arena, 2 * LIMIT / EduDma.PAGE), READ_WRITE)) {
      assertThat(LockedMemory.bytes()).isEqualTo(mapping.size()).isGreaterThan(LIMIT);
    }
  }

  private static void setLimit(String soft) throws IOException {
    String self = "" + ProcessHandle.current().pid();
    Process process =
        new ProcessBuilder("prlimit", "--pid", self, "--memlock=" + soft + ":").start();
    assertThat(process.onExit().join().exitValue()).isZero();
    process.getInputStream().close();
    process.getErrorStream().close();
    process.getOutputStream().close();
  }
}
