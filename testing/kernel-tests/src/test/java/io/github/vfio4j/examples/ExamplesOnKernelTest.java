package io.github.vfio4j.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

/** The examples do on a kernel what they say, from their {@code main} on. */
@OnMachine(OnMachine.IOMMU)
class ExamplesOnKernelTest {
  private interface Program {
    void main(String... arguments) throws IOException, InterruptedException;
  }

  /** Returns what a program prints; each binds its devices itself. */
  private static String run(Program program, String... arguments)
      throws IOException, InterruptedException {
    PrintStream console = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(printed, true, UTF_8)) {
      System.setOut(out);
      program.main(arguments);
    } finally {
      System.setOut(console);
    }
    return printed.toString(UTF_8);
  }

  @Test
  void findDevices() throws IOException, InterruptedException {
    assertThat(run(FindDevices::main)).contains("0000:01:00.0  8086:10c9  no driver\n");
  }

  @Test
  void bindForAWhile() throws IOException, InterruptedException {
    assertThat(run(BindForAWhile::main, "0000:00:05.0")).startsWith("BAR 0: 1048576 bytes\n");
    assertThat(Sysfs.host().device("0000:00:05.0").driver()).isEmpty();
  }

  @Test
  void readBar() throws IOException, InterruptedException {
    assertThat(run(ReadBar::main))
        .isEqualTo(
            """
            BAR 0 has 1048576 bytes
            identification 0x010000ed, and mapped 0x010000ed
            0x12345678 inverted is 0xedcba987
            """);
  }

  @Test
  void sendByDma() throws IOException, InterruptedException {
    assertThat(run(SendByDma::main)).matches("sent through (cdev\\+iommufd|container/group)\n");
  }

  @Test
  void handleInterrupts() throws IOException, InterruptedException {
    assertThat(run(HandleInterrupts::main)).isEqualTo("three interrupts\n");
  }

  @Test
  void computeFactorial() throws IOException, InterruptedException {
    assertThat(run(ComputeFactorial::main)).isEqualTo("10! = 3628800\n");
  }

  @Test
  void shareMemory() throws IOException, InterruptedException {
    assertThat(run(ShareMemory::main)).isEqualTo("from device to device\n");
  }

  @Test
  void identifyNvme() throws IOException, InterruptedException {
    assertThat(run(IdentifyNvme::main))
        .isEqualTo("by polling: serial number a\nby MSI-X: serial number a\n");
  }

  @Test
  @OnMachine(value = "smmuv3", since = "6.15")
  void nestTranslation() throws IOException, InterruptedException {
    assertThat(run(NestTranslation::main)).isEqualTo("through two page tables\n");
  }

  @Test
  void testOnModel() throws IOException, InterruptedException {
    assertThat(run(TestOnModel::main)).isEqualTo("1 + 2 + 3 = 6\nDMA that went wrong: []\n");
  }
}
