package io.github.vfio4j.kerneltests;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.platform.commons.support.AnnotationSupport;

/** Binds what {@link Bound} names, and gives it back, the last one first. */
final class Binder
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
  private static final Namespace NAMESPACE = Namespace.create(Binder.class);

  @Override
  public void beforeAll(ExtensionContext context) throws VfioException {
    bind(context);
  }

  @Override
  public void beforeEach(ExtensionContext context) throws VfioException {
    bind(context);
  }

  @Override
  public void afterEach(ExtensionContext context) throws VfioException {
    giveBack(context);
  }

  @Override
  public void afterAll(ExtensionContext context) throws VfioException {
    giveBack(context);
  }

  private static void bind(ExtensionContext context) throws VfioException {
    for (Device device : devices(context)) {
      context.getStore(NAMESPACE).put(device, DriverBinding.bind(Sysfs.host(), device.address()));
    }
  }

  /**
   * Closes the bindings that were made. Where one cannot be closed, JUnit closes those that are
   * left in its store; it would close all of them, but only when the leak check is over.
   */
  private static void giveBack(ExtensionContext context) throws VfioException {
    for (Device device : devices(context).reversed()) {
      DriverBinding binding = context.getStore(NAMESPACE).remove(device, DriverBinding.class);
      if (binding != null) {
        binding.close();
      }
    }
  }

  /** Takes a device from {@code vfio-pci} and binds it again, to be given back as before. */
  static void bindAnew(Device device) throws VfioException {
    DriverBinding.unbind(Sysfs.host(), device.address());
    DriverBinding.bind(Sysfs.host(), device.address());
  }

  private static List<Device> devices(ExtensionContext context) {
    return AnnotationSupport.findAnnotation(context.getElement(), Bound.class)
        .map(bound -> List.of(bound.value()))
        .orElse(List.of());
  }
}
