package io.github.vfio4j.cli.vm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.Failures;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.vmm.DeviceSetup;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;

/** The device models of a machine, which they outlive. */
final class Models implements AutoCloseable {
  private final Map<ModelOption.Kind, Integer> counts = new EnumMap<>(ModelOption.Kind.class);
  private final Deque<ModelHost> hosts = new ArrayDeque<>();

  /** Makes one; the second of a kind is called so, as in {@code edu-2}. */
  DeviceSetup add(ModelOption option) throws VfioException {
    int count = counts.merge(option.kind(), 1, Integer::sum);
    String name = count == 1 ? option.kind().toString() : option.kind() + "-" + count;
    ModelHost host = ModelHost.of(name, option.make(name));
    hosts.push(host);
    DeviceSetup setup = DeviceSetup.opened(name, host::open);
    return option.slot() == 0 ? setup : setup.slot(option.slot());
  }

  @Override
  public void close() throws VfioException {
    Failures failures = new Failures();
    for (ModelHost host : hosts) {
      try {
        host.close();
      } catch (VfioException e) {
        failures.add(e);
      }
    }
    failures.rethrow();
  }
}
