package io.github.vfio4j.cli;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceJson;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.cli.text.Title;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.MediatedType;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Creates a mediated device. */
@Command(
    name = "create",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Creates a mediated device, which is there until it is removed.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class MdevCreateCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(index = "0", paramLabel = "PARENT", description = "Who offers it, as mdev lists it.")
  private String parent = "";

  @Parameters(index = "1", paramLabel = "TYPE", description = "Of which type, likewise.")
  private String type = "";

  @Parameters(
      index = "2",
      paramLabel = "UUID",
      arity = "0..1",
      description = "How it is called; without it, a name is made up.")
  private @Nullable UUID uuid;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  MdevCreateCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    UUID name = uuid == null ? UUID.randomUUID() : uuid;
    MediatedDevice created = host.sysfs().create(find(), name);
    if (json) {
      DeviceJson.of(created, host.ids()).print(host.out());
    } else {
      String node = created.cdev().map(DeviceNode::path).map(path -> ", " + path).orElse("");
      new Table("")
          .add(created.name(), Title.of(created, host.ids()) + node)
          .lines()
          .forEach(host.out()::println);
    }
    return ExitStatus.DONE;
  }

  private MediatedType find() throws VfioException {
    List<MediatedType> types = host.sysfs().mediatedTypes();
    for (MediatedType each : types) {
      if (each.parent().equals(parent) && each.id().equals(type)) {
        return each;
      }
    }
    String offered =
        types.stream()
            .map(each -> each.parent() + " " + each.id())
            .collect(Collectors.joining(", "));
    throw new NoSuchDeviceException(
        "create",
        parent + " " + type,
        null,
        offered.isEmpty() ? "no device here offers mediated devices" : "there are: " + offered);
  }
}
