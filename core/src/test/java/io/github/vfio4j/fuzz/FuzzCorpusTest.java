package io.github.vfio4j.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.config.ConfigImageFuzz;
import io.github.vfio4j.container.ContainerInfoFuzz;
import io.github.vfio4j.device.DeviceRepliesFuzz;
import io.github.vfio4j.sysfs.SysfsTextsFuzz;
import io.github.vfio4j.takeover.RunningTextFuzz;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the fuzzer has found stays mended: {@code lab/fuzz} searches on from here. */
class FuzzCorpusTest {
  private static final Path CORPORA = Path.of("src/test/resources/fuzz");
  private static final int SPOILED = 5;

  static Stream<Arguments> targets() {
    return Stream.of(
        target(ConfigImageFuzz.class, ConfigImageFuzz::fuzzerTestOneInput),
        target(ContainerInfoFuzz.class, ContainerInfoFuzz::fuzzerTestOneInput),
        target(DeviceRepliesFuzz.class, DeviceRepliesFuzz::fuzzerTestOneInput),
        target(HostileKernelFuzz.class, HostileKernelFuzz::fuzzerTestOneInput),
        target(RunningTextFuzz.class, RunningTextFuzz::fuzzerTestOneInput),
        target(SysfsTextsFuzz.class, SysfsTextsFuzz::fuzzerTestOneInput));
  }

  private static Arguments target(Class<?> type, Consumer<byte[]> target) {
    return Arguments.of(type.getSimpleName(), target);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("targets")
  void theCorpusDoesNoHarm(String name, Consumer<byte[]> target) throws IOException {
    List<byte[]> corpus = FuzzCorpus.read(CORPORA.resolve(name + ".hex"));
    Random random = new Random(1);

    assertThat(corpus).isNotEmpty();
    for (byte[] input : corpus) {
      target.accept(input);
      for (int i = 0; i < SPOILED && input.length > 0; i++) {
        byte[] spoiled = input.clone();
        spoiled[random.nextInt(spoiled.length)] = (byte) random.nextInt();
        target.accept(spoiled);
      }
    }
  }
}
