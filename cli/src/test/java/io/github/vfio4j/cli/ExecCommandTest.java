package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.exec.Identity;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is told before anything is opened; the rest takes devices. */
class ExecCommandTest {

  private static final String EDU = "0000:00:05.0";
  private static final String NIC = "0000:00:06.0";

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void makeHost() {
    host = new FakeHost(root).module("vfio-pci").device(EDU).group(5, EDU);
  }

  private CommandRun run(String... arguments) {
    return CommandRun.of(host.sysfs(), arguments);
  }

  @Test
  void putsNumbersIntoTheirPlaces() {
    List<String> words = List.of("x", "fd={iommufd}", "{cdev1},{group0}{cdev1}", "{other}", "{}");
    CommandTemplate template = CommandTemplate.of(words, 2);

    assertThat(template.takes("iommufd")).isTrue();
    assertThat(template.takes("cdev0")).isFalse();
    assertThat(template.fill(Map.of("iommufd", 7, "cdev1", 12, "group0", 9)))
        .containsExactly("x", "fd=7", "12,912", "{other}", "{}");
    assertThat(CommandTemplate.of(List.of("{cdev}"), 1).fill(Map.of("cdev0", 5)))
        .containsExactly("5");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{cdev} | 2 | {cdev} can be any of 2 devices",
        "{cdev1} | 1 | {cdev1} is none of the 1 devices",
        "{cdev0} | 2 | does not say where it takes device 2 of 2: put {cdev1}",
        "{iommufd} | 1 | does not say where it takes device 1 of 1: put {cdev}, or {group}",
        "{cdev}{group} | 1 | by {cdev} or by {group}, not by both"
      })
  void refusesPlacesThatMakeNoSense(String word, int devices, String why) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CommandTemplate.of(List.of("x", word), devices))
        .withMessageContaining(why);
  }

  @Test
  void wrongUsageIsToldBeforeAnythingIsDone() {
    CommandRun noPlace = run("exec", "--device", EDU, "--", "true");
    assertThat(noPlace.status()).isEqualTo(2);
    assertThat(noPlace.err()).contains("put {cdev}").contains("see vfio4j exec --help");

    CommandRun noProgram = run("exec", "--device", EDU);
    assertThat(noProgram.status()).isEqualTo(2);
    assertThat(noProgram.err()).contains("PROGRAM");

    CommandRun noDevice = run("exec", "--", "true", "{cdev}");
    assertThat(noDevice.status()).isEqualTo(2);
    assertThat(noDevice.err()).contains("--device");

    CommandRun noSize = run("exec", "--device", EDU, "--memlock", "1X", "--", "true", "{cdev}");
    assertThat(noSize.status()).isEqualTo(2);
    assertThat(noSize.err()).contains("'1X' is no amount of memory");
  }

  @Test
  void whatIsNotThereIsToldBeforeAnythingIsDone() {
    CommandRun program = run("exec", "--device", EDU, "--", "no-such-program", "{cdev}");
    assertThat(program.status()).isEqualTo(1);
    assertThat(program.err()).contains("exec on no-such-program: there is no such program in the");

    CommandRun path = run("exec", "--device", EDU, "--", "/nowhere/program", "{cdev}");
    assertThat(path.status()).isEqualTo(1);
    assertThat(path.err()).contains("/nowhere/program: there is no such program");

    CommandRun device = run("exec", "--device", "00:1f.7", "--", "true", "{cdev}");
    assertThat(device.status()).isEqualTo(3);

    CommandRun user = run("exec", "--device", EDU, "--user", "no-one!", "--", "true", "{cdev}");
    assertThat(user.status()).isEqualTo(1);
    assertThat(user.err()).contains("id on no-one!: there is no such user");
  }

  private CommandRun bindAndThrow(Runnable failure) {
    host.driver(EDU, "edu").device(NIC).group(6, NIC).driver(NIC, "e1000e");
    host.observe(
        write -> {
          if (write.equals("unbind " + NIC)) {
            host.observe(_ -> {});
            failure.run();
          }
        });
    return run("exec", "--bind", "--device", EDU, NIC, "--", "true", "{cdev0}", "{cdev1}");
  }

  @Test
  void devicesGoBackAfterADefect() {
    CommandRun run =
        bindAndThrow(
            () -> {
              throw new IllegalStateException("a defect, for a test");
            });

    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("a defect, for a test");
    assertThat(host.driverOf(EDU)).isEqualTo("edu");
    assertThat(host.driverOf(NIC)).isEqualTo("e1000e");
  }

  @Test
  void devicesGoBackAfterAnError() {
    Error error = new LinkageError("for a test");

    assertThatThrownBy(
            () ->
                bindAndThrow(
                    () -> {
                      throw error;
                    }))
        .isSameAs(error);

    assertThat(host.driverOf(EDU)).isEqualTo("edu");
    assertThat(host.driverOf(NIC)).isEqualTo("e1000e");
  }

  @Test
  void userIsWhatTheSystemSays() throws VfioException {
    assertThat(UserAccount.find("root").user()).isZero();
    assertThat(UserAccount.parse("a", "uid=1000(a) gid=1001(b) groups=1001(b),27(sudo),4(x y)"))
        .isEqualTo(new Identity(1000, 1001, List.of(1001, 27, 4)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "uid=x",
        "uid=99999999999(a) gid=1(b) groups=1(b)",
        "gid=1 groups=1",
        "uid=4294967295(a) gid=1(b) groups=1(b)"
      })
  void nonsenseIsNoUser(String told) {
    assertThatThrownBy(() -> UserAccount.parse("a", told)).isInstanceOf(VfioException.class);
  }

  @Test
  void memoryMayBeUnlimited() {
    assertThat(ExecCommand.size("unlimited")).isEqualTo(Long.MAX_VALUE);
    assertThat(ExecCommand.size("1G")).isEqualTo(1 << 30);
  }
}
