package org.example.consumer;

import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.edu.EduModel;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;

/** Drives a device model, counts the devices of this machine, and says how it was started. */
public final class Consumer {
  private Consumer() {}

  public static void main(String[] arguments) throws IOException {
    try (ModelHost host = ModelHost.of(new EduModel());
        VfioDevice device = host.open();
        Edu edu = Edu.start(device)) {
      System.out.printf(
          "%s: factorial of 5 is %d, interrupt 0x%x came, %d PCI devices here%n",
          arguments[0],
          edu.factorial(5),
          edu.raiseInterrupt(0x42),
          Sysfs.host().pciDevices().size());
    }
  }
}
