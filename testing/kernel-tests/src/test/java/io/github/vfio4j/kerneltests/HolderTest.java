package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.lab.Guest;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who has a device open is found, and in time, whatever of it is left to that process. */
@OnMachine("intel/legacy") // a JVM is slow to start
class HolderTest {
  @ParameterizedTest
  @ValueSource(strings = {"mapping", "file"})
  @Timeout(240)
  void isNamedBeforeAnythingIsTouched(String kept) throws IOException {
    try (DriverBinding binding = DriverBinding.bind(Sysfs.host(), Machine.EDU)) {
      try (Child child = Child.start(List.of(), Holder.class, kept)) {
        assertThat(child.line()).startsWith("holding ");
        String certain = tellsTheDevice() && kept.equals("file") ? "" : "perhaps ";

        assertThatThrownBy(binding::close)
            .isInstanceOf(DeviceBusyException.class)
            .hasMessageContaining(
                "unbind on " + Machine.EDU + ": " + certain + "process " + child.pid() + " (");

        assertThat(Sysfs.host().device(Machine.EDU).driver()).contains("vfio-pci");
        child.goOn();
      }
    }
    assertThat(Sysfs.host().device(Machine.EDU).driver()).isEmpty();
  }

  /** Older kernels do not say of which device an open file is. */
  private static boolean tellsTheDevice() {
    return Guest.current().kernel().toString().startsWith("7.");
  }
}
