package io.github.vfio4j.iommufd;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_ioas_allow_iovas;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AllowedIovasTest {
  private static final IovaRange RANGE = new IovaRange(0x1000, 0xffff);

  @TempDir Path root;

  /** Has one more range each time that somebody asks for its size. */
  private static final class Growing extends AbstractList<IovaRange> {
    private int size;

    @Override
    public IovaRange get(int index) {
      return new IovaRange(index * 0x10_0000L, index * 0x10_0000L + 0xffff);
    }

    @Override
    public int size() {
      return ++size;
    }

    @Override
    public Object[] toArray() {
      return new Object[] {RANGE};
    }
  }

  @Test
  void aListThatChangesIsReadOnce() throws VfioException {
    FakeMachine machine = new FakeMachine(root);
    List<Integer> counts = new ArrayList<>();
    machine.kernel.tamper(
        (operation, request) -> {
          if (operation == Ioctl.IOMMU_IOAS_ALLOW_IOVAS) {
            counts.add(iommu_ioas_allow_iovas.num_iovas(request));
          }
        });
    try (Iommufd iommufd = Iommufd.open(machine.host)) {
      iommufd.allocateIoas().allowIovas(new Growing());
    }

    assertThat(counts).containsExactly(1);
  }
}
