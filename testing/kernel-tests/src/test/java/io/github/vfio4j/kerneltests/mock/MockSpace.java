package io.github.vfio4j.kerneltests.mock;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.mock.Mock;
import io.github.vfio4j.mock.MockDevice;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** An address space with mock devices attached. */
record MockSpace(Mock mock, Ioas ioas, List<MockDevice> devices) implements AutoCloseable {
  static MockSpace open(int devices) throws VfioException {
    Mock mock = Mock.open();
    try {
      Ioas ioas = mock.iommufd().allocateIoas();
      List<MockDevice> attached = new ArrayList<>();
      for (int i = 0; i < devices; i++) {
        attached.add(MockDevice.attach(mock, ioas));
      }
      return new MockSpace(mock, ioas, List.copyOf(attached));
    } catch (VfioException | RuntimeException e) {
      mock.close();
      throw e;
    }
  }

  Iommufd iommufd() {
    return mock.iommufd();
  }

  MockDevice device() {
    return devices.getFirst();
  }

  /** The first address that can be mapped. */
  long base() {
    return devices.isEmpty() ? 0 : Mock.APERTURE_FIRST;
  }

  /** Tells whether every device sees memory of this process. */
  boolean seen(long iova, MemorySegment memory) throws VfioException {
    for (MockDevice device : devices) {
      if (!device.sees(iova, memory)) {
        return false;
      }
    }
    return true;
  }

  /** How often memory that is mapped once is pinned. */
  int pins() {
    return devices.isEmpty() ? 0 : 1;
  }

  @Override
  public void close() throws VfioException {
    mock.close();
  }
}
