package io.github.vfio4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.edu.EduModel;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples do what they say, on a device model. */
class ExamplesTest {
  private ModelHost host;
  private VfioDevice device;

  @BeforeEach
  void open() throws IOException {
    host = ModelHost.of(new EduModel());
    device = host.open();
  }

  @AfterEach
  void close() throws IOException {
    host.close();
    assertThat(host.dmaFaults()).isEmpty();
  }

  @Test
  void sendByDma() throws IOException {
    SendByDma.send(device);
  }

  @Test
  void handleInterrupts() throws Exception {
    assertThat(HandleInterrupts.count(device, 3)).isTrue();
  }

  @Test
  void bindForAWhile() throws IOException {
    assertThat(BindForAWhile.regions(device))
        .isEqualTo("region 0: 1048576 bytes%nregion 7: 256 bytes%n".formatted());
  }

  @Test
  void findDevices(@TempDir Path root) throws IOException {
    assertThat(FindDevices.ofClass(Sysfs.at(root), 0x02)).isEmpty();
  }

  @Test
  void theReadmeShowsWhatIsCompiledHere() throws IOException {
    String source =
        Files.readString(Path.of("src/main/java/io/github/vfio4j/examples/SendByDma.java"));
    String program = source.substring(source.indexOf("import "));

    assertThat(Files.readString(Path.of("../README.md"))).contains("```java\n" + program + "```");
  }
}
