package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.container.Container;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Where native access is denied, each call says so, and how to allow it. */
class NativeAccessTest {
  private interface Call {
    AutoCloseable run() throws IOException;
  }

  /** What runs in a virtual machine that denies native access. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) throws Exception {
      for (int round = 0; round < 2; round++) {
        tell(Iommufd::open);
        tell(Container::open);
        tell(() -> MemoryFile.create("test", 1));
        tell(EventDispatcher::start);
      }
    }

    private static void tell(Call call) throws Exception {
      try (AutoCloseable opened = call.run()) {
        System.out.println("opened " + opened);
      } catch (IOException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void everyCallNamesTheOptionThatAllowsIt() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--illegal-native-access=deny",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Program.class.getName())
            .redirectErrorStream(true)
            .start();
    List<String> lines =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .toList();

    assertThat(process.waitFor()).as("%s", lines).isZero();
    assertThat(lines)
        .hasSize(8)
        .allMatch(line -> line.endsWith("start it with --enable-native-access=ALL-UNNAMED"));
  }
}
