package io.github.vfio4j.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.edu.EduModel;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
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
        .isEqualTo("BAR 0: 1048576 bytes%nconfiguration space: 256 bytes%n".formatted());
  }

  @Test
  void findDevices(@TempDir Path root) throws IOException {
    assertThat(FindDevices.ofClass(Sysfs.at(root), 0x02)).isEmpty();
  }

  @Test
  void readBar() throws IOException {
    assertThat(ReadBar.read(device))
        .isEqualTo(
            """
            BAR 0 has 1048576 bytes
            identification 0x010000ed, and mapped 0x010000ed
            0x12345678 inverted is 0xedcba987
            """);
  }

  @Test
  void shareMemory() throws IOException {
    try (ModelHost other = ModelHost.of(new EduModel());
        VfioDevice second = other.open(device.addressSpace())) {
      assertThat(ShareMemory.pass("handed over", device, second)).isEqualTo("handed over");
      assertThat(other.dmaFaults()).isEmpty();
    }
  }

  @Test
  void testOnModel() throws IOException {
    try (ModelHost adder = ModelHost.of(new TestOnModel.AdderModel());
        VfioDevice sums = adder.open()) {
      assertThat(TestOnModel.Adder.sum(sums, 7, -3)).isEqualTo(4);
      assertThat(adder.dmaFaults()).isEmpty();
    }
  }

  @Test
  void eachTellsHowToRunIt() throws IOException {
    Path folder = Path.of("src/main/java/io/github/vfio4j/examples");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.filter(file -> !file.endsWith("package-info.java")))
          .hasSize(10)
          .allSatisfy(
              file -> {
                String name = file.getFileName().toString().replace(".java", "");
                assertThat(file)
                    .content()
                    .contains(" * lab/run ")
                    .contains(" *     io.github.vfio4j.examples." + name);
              });
    }
  }

  @Test
  void computeFactorial() throws IOException {
    try (ComputeFactorial driver = new ComputeFactorial(device)) {
      assertThat(driver.factorial(5)).isEqualTo(120);
      assertThat(driver.factorial(0)).isEqualTo(1);
    }
  }

  @Test
  void computeFactorialNoticesThatNoInterruptComes() throws IOException {
    host.faults().loseInterrupts(1);
    try (ComputeFactorial driver = new ComputeFactorial(device)) {
      assertThatThrownBy(() -> driver.factorial(5)).hasMessageContaining("did not answer");
    }
  }

  @Test
  void theReadmeShowsWhatIsCompiledHere() throws IOException {
    assertThat(Files.readString(Path.of("../README.md"))).contains(program("SendByDma"));
  }

  @Test
  void theTutorialShowsWhatIsCompiledHere() throws IOException {
    assertThat(Files.readString(Path.of("../docs/tutorial.md")))
        .contains(program("ComputeFactorial"));
  }

  /** Returns an example as a block of Markdown, without its package. */
  private static String program(String name) throws IOException {
    Path file = Path.of("src/main/java/io/github/vfio4j/examples/%s.java".formatted(name));
    String source = Files.readString(file);
    return "```java\n" + source.substring(source.indexOf("import ")) + "```";
  }
}
