package io.github.vfio4j.vmm;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.event.EventDispatcher;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Hears the host ask for a device, as it does before the device is unplugged or given to another
 * driver, and has it given back: the host waits for that. Thread-safe.
 */
final class HostRequests implements AutoCloseable {
  private final EventDispatcher dispatcher;
  private final Consumer<String> givingBack;
  private final Set<String> underWay = ConcurrentHashMap.newKeySet();

  private HostRequests(EventDispatcher dispatcher, Consumer<String> givingBack) {
    this.dispatcher = dispatcher;
    this.givingBack = givingBack;
  }

  /**
   * Starts a thread that hears.
   *
   * @param givingBack is given a device's name, by a thread that it may keep as long as it likes
   */
  static HostRequests start(Consumer<String> givingBack) throws VfioException {
    return new HostRequests(EventDispatcher.start(), givingBack);
  }

  /** Hears what is asked of a device, until it is closed. */
  void watch(String name, VfioDevice device) throws VfioException {
    IrqIndex requests = device.pci().request();
    if (requests.count() > 0) {
      Interrupt request = requests.enable(0);
      dispatcher.register(request, (source, count) -> asked(name));
    }
  }

  /** The host asks again and again, until it has the device. */
  private void asked(String name) {
    if (underWay.add(name)) {
      Thread.ofPlatform()
          .daemon()
          .name("giving back " + name)
          .start(
              () -> {
                try {
                  givingBack.accept(name);
                } finally {
                  underWay.remove(name);
                }
              });
    }
  }

  @Override
  public void close() throws VfioException {
    dispatcher.close();
  }
}
