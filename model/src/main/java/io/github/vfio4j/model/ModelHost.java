package io.github.vfio4j.model;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hosts a {@link DeviceModel} in this process: a driver opens it as any other {@link VfioDevice},
 * on any Linux, as any user, without VFIO.
 *
 * <pre>{@code
 * try (ModelHost host = ModelHost.of(new EduModel());
 *     VfioDevice device = host.open();
 *     Edu edu = Edu.start(device)) {
 *   ...
 *   assertThat(host.dmaFaults()).isEmpty();
 * }
 * }</pre>
 *
 * <p>It judges the driver's DMA as an IOMMU does: what is not mapped, or not any more, is not
 * reached, and is {@linkplain #dmaFaults noted}. Interrupts are real eventfds. {@link #faults}
 * makes the device misbehave. Thread-safe.
 */
public final class ModelHost implements AutoCloseable {
  private final Kernel kernel;
  private final Chassis chassis;
  private @Nullable HostedDevice open;

  private ModelHost(Kernel kernel, Chassis chassis) {
    this.kernel = kernel;
    this.chassis = chassis;
  }

  /**
   * Hosts a model under the name of its class.
   *
   * @param model the model, which nobody else hosts
   * @return the host; the caller closes it
   * @throws VfioException if this process is out of descriptors or memory
   */
  public static ModelHost of(DeviceModel model) throws VfioException {
    return of(model.getClass().getSimpleName(), model);
  }

  /**
   * Hosts a model.
   *
   * @param name what {@link VfioDevice#name} and messages call it
   * @param model the model, which nobody else hosts
   * @return the host; the caller closes it
   * @throws VfioException if this process is out of descriptors or memory
   */
  public static ModelHost of(String name, DeviceModel model) throws VfioException {
    Kernel kernel = RunningKernel.get();
    return new ModelHost(kernel, new Chassis(kernel, name, model));
  }

  /**
   * Opens the device with an IO address space of its own.
   *
   * @return the open device; the caller closes it, or this host does
   * @throws DeviceBusyException if it is open already
   * @throws VfioException if it has {@linkplain Faults#vanish vanished}
   */
  public synchronized VfioDevice open() throws VfioException {
    try (Rollback rollback = new Rollback()) {
      ModelSpace space = new ModelSpace(kernel, chassis.name());
      rollback.add(space::close);
      HostedDevice device = open(space);
      device.ownSpace();
      return rollback.done(device);
    }
  }

  /**
   * Opens the device on the IO address space of another hosted device.
   *
   * @param shared the {@linkplain VfioDevice#addressSpace address space}; its device is closed last
   * @return the open device; the caller closes it, or this host does
   * @throws IllegalArgumentException if the address space is not of a hosted device
   * @throws DeviceBusyException if it is open already
   * @throws VfioException as {@link #open()}
   */
  public synchronized VfioDevice open(IoAddressSpace shared) throws VfioException {
    if (!(shared instanceof ModelSpace space)) {
      throw new IllegalArgumentException(chassis.name() + " cannot do its DMA in " + shared);
    }
    return open(space);
  }

  private HostedDevice open(ModelSpace space) throws VfioException {
    if (open != null) {
      throw new DeviceBusyException("open", chassis.name(), null, "it is open already");
    }
    HostedDevice device = new HostedDevice(kernel, chassis, space, this::forget);
    chassis.attach(space.iommu());
    open = device;
    return device;
  }

  private synchronized void forget() {
    open = null;
  }

  /**
   * Returns the DMA that was refused since the host was made.
   *
   * @return the faults, in their order
   */
  public List<DmaFault> dmaFaults() {
    return chassis.dmaFaults();
  }

  /**
   * Returns what goes wrong, to be set.
   *
   * @return always the same
   */
  public Faults faults() {
    return chassis.faults();
  }

  /**
   * Raises an interrupt that the device has not raised, of whichever kind is enabled.
   *
   * @param vector which message; the line where no messages are enabled
   */
  public void raiseSpuriousInterrupt(int vector) {
    if (chassis.messagesEnabled()) {
      chassis.irqs().raiseMessage(vector);
    } else {
      chassis.irqs().raise(vfio_h.VFIO_PCI_INTX_IRQ_INDEX, 0);
    }
  }

  /** Asks the driver to give the device back, as the kernel does before a device is unplugged. */
  public void askBack() {
    chassis.irqs().raise(vfio_h.VFIO_PCI_REQ_IRQ_INDEX, 0);
  }

  /** Returns the driver that the device has reported an error on the bus. */
  public void reportError() {
    chassis.irqs().raise(vfio_h.VFIO_PCI_ERR_IRQ_INDEX, 0);
  }

  /**
   * Closes the device, if it is open, and frees its memory. Later calls do nothing.
   *
   * @throws VfioException the first failure, with the others attached; all that could be closed is
   *     closed
   */
  @Override
  public void close() throws VfioException {
    HostedDevice device;
    synchronized (this) {
      device = open;
    }
    Closing closing = new Closing();
    if (device != null) {
      closing.attempt(device::close);
    }
    chassis.close(closing);
    closing.rethrow();
  }
}
