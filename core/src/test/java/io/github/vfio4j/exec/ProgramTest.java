package io.github.vfio4j.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.Errno;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** A process whose program does not start is who it was, whatever it was on the way to be. */
class ProgramTest {
  private static final Program PROGRAM = new Program(List.of("program", "argument"));
  private static final Identity NOBODY = new Identity(65534, 65533, List.of(65533, 7, 8));
  private static final String AS_IT_WAS =
      "user [0, 0, 0], group [0, 0, 0], groups [0, 4], memory [100, 200], ignores pipes, files []";

  private static void become(FakeProcess process) throws VfioException {
    PROGRAM.become(process, List.of(11, 12), Optional.of(NOBODY), OptionalLong.of(4096));
  }

  @Test
  void aProgramThatDoesNotStartLeavesRootAsItWas() {
    FakeProcess process = new FakeProcess(0, 0, 0);

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> become(process))
        .withMessage("execvp on program: ENOENT")
        .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());

    assertThat(process.started())
        .isEqualTo(
            "user [65534, 65534, 0], group [65533, 65533, 0], groups [65533, 7, 8],"
                + " memory [4096, 4096], ends by pipes, files [11, 12]");
    assertThat(process.state()).isEqualTo(AS_IT_WAS);
  }

  @Test
  void whateverIsRefusedOnTheWayItIsAsItWas() {
    FakeProcess process = new FakeProcess(0, 0, 0);
    for (int call = 1; call <= 7; call++) {
      process.failCall(call);

      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> become(process))
          .satisfies(e -> assertThat(e.errno()).contains(Errno.EIO));

      assertThat(process.hasFailed()).isTrue();
      assertThat(process.started()).isEqualTo("never");
      assertThat(process.state()).as("after call %d failed", call).isEqualTo(AS_IT_WAS);
    }
  }

  @Test
  void whatCannotBePutBackIsTold() {
    FakeProcess process = new FakeProcess(0, 0, 0);
    process.failCall(8); // the way back to root

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> become(process))
        .withMessageStartingWith("execvp")
        .satisfies(e -> assertThat(e.getSuppressed()).isNotEmpty());
  }

  @Test
  void aProcessThatIsRootByItsEffectiveUserComesBackToo() {
    FakeProcess process = new FakeProcess(1000, 0, 1000);
    String before = process.state();

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> become(process))
        .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());

    assertThat(process.started()).startsWith("user [65534, 65534, 0]");
    assertThat(process.state()).isEqualTo(before);
  }

  @Test
  void onlyRootBecomesSomebodyElse() {
    FakeProcess process = new FakeProcess(1000, 1000, 1000);
    String before = process.state();

    assertThatExceptionOfType(NotPermittedException.class)
        .isThrownBy(
            () -> PROGRAM.become(process, List.of(11), Optional.of(NOBODY), OptionalLong.empty()))
        .withMessageContaining("only root may run a program as another user");

    assertThat(process.state()).isEqualTo(before);
    assertThat(process.started()).isEqualTo("never");
  }

  @Test
  void theProgramOfTheSameUserIsThisUsers() {
    FakeProcess process = new FakeProcess(1000, 1000, 1000);
    process.refuse(Errno.EACCES);

    assertThatExceptionOfType(NotPermittedException.class)
        .isThrownBy(
            () -> PROGRAM.become(process, List.of(), Optional.empty(), OptionalLong.empty()))
        .withMessageContaining("this user may not execute it");

    assertThat(process.started()).startsWith("user [1000, 1000, 1000]").contains("ambient");
  }

  @Test
  void theNumberOfNobodyIsRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Identity(-1, 5, List.of()));
    assertThatIllegalArgumentException().isThrownBy(() -> new Identity(5, -1, List.of()));
  }
}
