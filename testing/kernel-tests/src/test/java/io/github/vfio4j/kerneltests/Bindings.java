package io.github.vfio4j.kerneltests;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.ArrayList;
import java.util.List;

/** Several devices bound to {@code vfio-pci}, until this is closed. */
final class Bindings implements AutoCloseable {
  private final List<DriverBinding> bindings = new ArrayList<>();

  private Bindings() {}

  static Bindings of(PciAddress... devices) throws VfioException {
    Bindings bindings = new Bindings();
    for (PciAddress device : devices) {
      bindings.bindings.add(DriverBinding.bind(Sysfs.host(), device));
    }
    return bindings;
  }

  @Override
  public void close() throws VfioException {
    for (DriverBinding binding : bindings.reversed()) {
      binding.close();
    }
  }
}
