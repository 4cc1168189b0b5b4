package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.time.Duration;

/** A slot whose device, called hot, is taken out and replaced while the machine runs. */
final class HotPort implements AutoCloseable {
  static final PciAddress ADDRESS = Device.HOT_IGB.address();

  /** What is there when the machine starts. */
  static final String IGB = "igb,id=hot,bus=port3,romfile=,netdev=lan2";

  /** A port of PCI Express looks away for a second after it has switched its slot off. */
  private static final Duration SWITCHING_OFF = Duration.ofSeconds(3);

  private final Monitor monitor;

  private HotPort(Monitor monitor) {
    this.monitor = monitor;
  }

  static HotPort open() throws IOException {
    return new HotPort(Monitor.open());
  }

  /** Presses the slot's button, as it were; Linux takes its time. */
  void unplug() throws IOException, InterruptedException {
    String answer = monitor.run("device_del hot");
    while (answer.contains("guest is busy")) { // it does what it was told last
      Thread.sleep(10);
      answer = monitor.run("device_del hot");
    }
    assertThat(answer).isEmpty();
  }

  /** Waits until what was unplugged has gone, and something else can come. */
  void awaitGone() throws IOException, InterruptedException {
    monitor.awaitDeletion("hot");
    Thread.sleep(SWITCHING_OFF);
  }

  /** Plugs something in, and waits until Linux has it. */
  void plugIn(String device) throws IOException, InterruptedException {
    assertThat(monitor.run("device_add " + device)).isEmpty();
    while (!isOccupied()) {
      Thread.sleep(10);
    }
  }

  /** Returns whether Linux knows of a device there. */
  static boolean isOccupied() throws IOException {
    try {
      Sysfs.host().device(ADDRESS);
      return true;
    } catch (NoSuchDeviceException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    monitor.close();
  }
}
