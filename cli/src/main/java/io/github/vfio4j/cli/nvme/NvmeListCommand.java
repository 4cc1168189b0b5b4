package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Failures;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.nvme.ControllerIdentity;
import io.github.vfio4j.nvme.Namespace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lists the NVMe controllers, and the namespaces of those that can be opened. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Lists the NVMe controllers, and the namespaces of those with a VFIO driver.",
    optionListHeading = "%nOptions:%n")
final class NvmeListCommand implements Callable<Integer> {

  private final CommandHost host;
  private final OpenedDisk.Opener opener;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  NvmeListCommand(CommandHost host, OpenedDisk.Opener opener) {
    this.host = host;
    this.opener = opener;
  }

  @Override
  public Integer call() throws VfioException {
    Table table =
        new Table("", 2, 3)
            .add("ADDRESS", "DRIVER", "NAMESPACE", "SIZE", "BLOCK", "MODEL", "SERIAL");
    List<Map<String, @Nullable Object>> found = new ArrayList<>();
    Failures failures = new Failures();
    for (HostDevice device : host.sysfs().devices()) {
      if (OpenedDisk.isDisk(device)) {
        Json entry = Json.object().with("address", device.name()).with("driver", device.driver());
        if (device.hasVfioDriver()) {
          try {
            open(device, table, entry);
          } catch (VfioException e) {
            table.add(device.name(), device.driver().orElse(""), "", "", "", "", "");
            failures.add(e);
          }
        } else {
          table.add(device.name(), device.driver().orElse(""), "", "", "", "", "");
        }
        found.add(entry.map());
      }
    }
    if (json) {
      Json.object().with("controllers", found).print(host.out());
    } else if (found.isEmpty()) {
      host.out().println("No NVMe controllers.");
    } else {
      table.lines().forEach(host.out()::println);
    }
    failures.rethrow();
    return ExitStatus.DONE;
  }

  private void open(HostDevice device, Table table, Json entry) throws VfioException {
    try (OpenedDisk disk = OpenedDisk.open(device, opener)) {
      ControllerIdentity identity = disk.controller().identity();
      List<Namespace> namespaces = disk.controller().namespaces();
      String model = identity.model();
      String serial = identity.serialNumber();
      String driver = device.driver().orElse("");
      for (Namespace each : namespaces) {
        table.add(
            device.name(),
            driver,
            String.valueOf(each.id()),
            Size.of(each.size()),
            Size.of(each.blockSize()),
            model,
            serial);
      }
      if (namespaces.isEmpty()) {
        table.add(device.name(), driver, "", "", "", model, serial);
      }
      entry
          .with("model", identity.model())
          .with("serialNumber", identity.serialNumber())
          .with("namespaces", DiskJson.of(namespaces));
    }
  }
}
