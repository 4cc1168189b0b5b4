package io.github.vfio4j.cli;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.sysfs.PciDevice;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;

/**
 * A device that was bound or unbound.
 *
 * @param device as it is now
 * @param formerDriver the driver that it had before
 * @param ended the virtual functions of it that have ended
 */
record DriverChange(PciDevice device, Optional<String> formerDriver, List<PciAddress> ended) {

  static void print(List<DriverChange> changes, boolean json, PrintWriter out) {
    if (json) {
      Json.object().with("devices", changes.stream().map(c -> c.json().map()).toList()).print(out);
    } else {
      Table table = new Table("");
      changes.forEach(change -> table.add(change.device.name(), change.text()));
      table.lines().forEach(out::println);
    }
  }

  private String text() {
    String now = device.driver().orElse("no driver");
    String node = device.cdev().map(cdev -> ", " + cdev.path()).orElse("");
    String lost = ended.isEmpty() ? "" : ", ended its virtual functions " + endedNames();
    return formerDriver.equals(device.driver())
        ? "has " + now + " already" + node
        : formerDriver.orElse("no driver") + " -> " + now + node + lost;
  }

  private String endedNames() {
    return String.join(" ", ended.stream().map(PciAddress::toString).toList());
  }

  private Json json() {
    return Json.object()
        .with("name", device.name())
        .with("formerDriver", formerDriver)
        .with("driver", device.driver())
        .with("cdev", device.cdev().map(DeviceNode::path).map(String::valueOf))
        .with("endedVirtualFunctions", ended.stream().map(PciAddress::toString).toList());
  }
}
