package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.Optional;

/**
 * What is said of a device, and then what is done with it.
 *
 * @param ready whether the diagnosis calls it ready
 * @param said the interface that the diagnosis names
 * @param opened the interface on which it was opened
 * @param words what was found and, if it was not opened, why
 */
record Verdict(boolean ready, Optional<Backend> said, Optional<Backend> opened, String words) {
  static Verdict of(HostDevice device) throws VfioException {
    Diagnosis diagnosis = Diagnosis.of(Sysfs.host(), device);
    try (VfioDevice open = VfioDevice.open(device)) {
      return of(diagnosis, Optional.of(open.choice().backend()), "");
    } catch (VfioException refused) {
      return of(diagnosis, Optional.empty(), String.valueOf(refused.getMessage()));
    }
  }

  private static Verdict of(Diagnosis diagnosis, Optional<Backend> opened, String refusal) {
    return new Verdict(
        diagnosis.isReady(), diagnosis.way(), opened, diagnosis.findings() + " " + refusal);
  }

  /** Has the diagnosis told the truth of a device. */
  static void assertTrueOf(PciAddress address) throws VfioException {
    assertTrueOf(Sysfs.host().device(address));
  }

  static void assertTrueOf(HostDevice device) throws VfioException {
    of(device).assertTrue();
  }

  /** Has the diagnosis told the truth of a device that can be opened in one way, or in none. */
  static void assertTrueOf(HostDevice device, Optional<Backend> expected) throws VfioException {
    Verdict verdict = of(device);
    verdict.assertTrue();
    assertThat(verdict.opened).as(verdict.words).isEqualTo(expected);
  }

  private void assertTrue() {
    assertThat(said).as(words).isEqualTo(opened);
    assertThat(ready).as(words).isEqualTo(opened.isPresent());
  }

  /** Returns it in one line without the words, for another process. */
  String line() {
    return "ready %s said %s opened %s".formatted(ready, name(said), name(opened));
  }

  /** Returns the line of a verdict that is true. */
  static String trueLine(Optional<Backend> way) {
    return new Verdict(way.isPresent(), way, way, "").line();
  }

  private static String name(Optional<Backend> backend) {
    return backend.map(Backend::name).orElse("nothing");
  }
}
