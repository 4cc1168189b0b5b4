package io.github.vfio4j.kerneltests.mock;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.iommu_destroy;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommu_hwpt_alloc;
import io.github.vfio4j.bindings.iommu_hwpt_invalidate;
import io.github.vfio4j.bindings.iommu_ioas_alloc;
import io.github.vfio4j.bindings.iommu_ioas_allow_iovas;
import io.github.vfio4j.bindings.iommu_ioas_change_process;
import io.github.vfio4j.bindings.iommu_ioas_copy;
import io.github.vfio4j.bindings.iommu_ioas_iova_ranges;
import io.github.vfio4j.bindings.iommu_ioas_map;
import io.github.vfio4j.bindings.iommu_ioas_map_file;
import io.github.vfio4j.bindings.iommu_ioas_unmap;
import io.github.vfio4j.bindings.iommu_option;
import io.github.vfio4j.bindings.iommu_vdevice_alloc;
import io.github.vfio4j.bindings.iommu_vfio_ioas;
import io.github.vfio4j.bindings.iommu_viommu_alloc;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_map;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.bindings.vfio_iommu_type1_info;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.mock.Mock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The library's structures are those that the kernel takes, neither shorter nor longer. */
@OnMachine(value = "bare", since = "7.0")
class CommandTest {
  private static final int NO_COMMAND = ';' << 8 | 0x7f;
  private static final int FLAG_THAT_IS_NONE = 1 << 31;
  private static final int PAGE = 4096;

  /** A command with the size that its first version had. */
  record Command(Ioctl operation, long first, long size) {}

  static Stream<Command> commands() {
    return Stream.of(
        new Command(Ioctl.IOMMU_DESTROY, iommu_destroy.SIZEOF, iommu_destroy.SIZEOF),
        new Command(
            Ioctl.IOMMU_GET_HW_INFO, iommu_hw_info.out_capabilities$OFFSET, iommu_hw_info.SIZEOF),
        new Command(
            Ioctl.IOMMU_HWPT_ALLOC, iommu_hwpt_alloc.data_type$OFFSET, iommu_hwpt_alloc.SIZEOF),
        whole(Ioctl.IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate.SIZEOF),
        whole(Ioctl.IOMMU_IOAS_ALLOC, iommu_ioas_alloc.SIZEOF),
        whole(Ioctl.IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges.SIZEOF),
        whole(Ioctl.IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas.SIZEOF),
        whole(Ioctl.IOMMU_IOAS_MAP, iommu_ioas_map.SIZEOF),
        whole(Ioctl.IOMMU_IOAS_COPY, iommu_ioas_copy.SIZEOF),
        whole(Ioctl.IOMMU_IOAS_UNMAP, iommu_ioas_unmap.SIZEOF),
        whole(Ioctl.IOMMU_OPTION, iommu_option.SIZEOF),
        whole(Ioctl.IOMMU_VFIO_IOAS, iommu_vfio_ioas.SIZEOF),
        whole(Ioctl.IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file.SIZEOF),
        new Command(
            Ioctl.IOMMU_VIOMMU_ALLOC,
            iommu_viommu_alloc.data_len$OFFSET,
            iommu_viommu_alloc.SIZEOF),
        whole(Ioctl.IOMMU_VDEVICE_ALLOC, iommu_vdevice_alloc.SIZEOF),
        whole(Ioctl.IOMMU_IOAS_CHANGE_PROCESS, iommu_ioas_change_process.SIZEOF));
  }

  private static Command whole(Ioctl operation, long size) {
    return new Command(operation, size, size);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void structureHasTheKernelsSize(Command command) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Mock mock = Mock.open()) {
      Ioctl operation = command.operation();
      MemorySegment request = arena.allocate(command.size() + 1, Long.BYTES);
      request.set(JAVA_INT, 0, (int) command.first() - 1);
      Raw.assertRefused(Errno.EINVAL, mock, operation, request);
      request.set(JAVA_INT, 0, (int) command.size() + 1);
      request.set(java.lang.foreign.ValueLayout.JAVA_BYTE, command.size(), (byte) 0xff);
      Raw.assertRefused(Errno.E2BIG, mock, operation, request);

      request.set(JAVA_INT, 0, (int) command.size());
      int answer = Raw.ioctl(mock, operation, request);
      request.fill((byte) 0);
      request.set(JAVA_INT, 0, (int) command.size() + 1);
      Raw.assertAnswer(answer, Raw.ioctl(mock, operation, request), operation);
    }
  }

  @Test
  void badCommandsAreRefused() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Mock mock = Mock.open()) {
      MemorySegment request = arena.allocate(iommu_destroy.LAYOUT);
      iommu_destroy.size(request, (int) iommu_destroy.SIZEOF);
      Raw.assertRefused(Errno.ENOENT, mock, Ioctl.IOMMU_DESTROY, request);
      Raw.assertAnswer(
          -Errno.EFAULT.number(), Raw.ioctl(mock, Ioctl.IOMMU_DESTROY, 0), Ioctl.IOMMU_DESTROY);
      assertThat(Kernel.running().ioctl(mock.descriptor(), NO_COMMAND, request))
          .isEqualTo(-Errno.ENOTTY.number());
    }
  }

  @Test
  void longerCommandOfTheFutureIsTakenIfItAsksForNothingNew() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Mock mock = Mock.open()) {
      MemorySegment request = arena.allocate(iommu_destroy.SIZEOF + Long.BYTES, Long.BYTES);
      request.set(JAVA_INT, 0, (int) request.byteSize());
      Raw.assertRefused(Errno.ENOENT, mock, Ioctl.IOMMU_DESTROY, request);
      request.set(JAVA_INT, iommu_destroy.SIZEOF, 1);
      Raw.assertRefused(Errno.E2BIG, mock, Ioctl.IOMMU_DESTROY, request);
      request.set(JAVA_INT, 0, (int) iommu_destroy.SIZEOF);
      Raw.assertRefused(Errno.ENOENT, mock, Ioctl.IOMMU_DESTROY, request);
      request.set(JAVA_INT, 0, (int) iommu_destroy.SIZEOF - 1);
      Raw.assertRefused(Errno.EINVAL, mock, Ioctl.IOMMU_DESTROY, request);
    }
  }

  @Test
  void iommufdIsAContainer() throws IOException {
    try (Mock mock = Mock.open()) {
      assertThat(Raw.ioctl(mock, Ioctl.VFIO_GET_API_VERSION, 0)).isZero();
      assertThat(Raw.ioctl(mock, Ioctl.VFIO_CHECK_EXTENSION, vfio_h.VFIO_TYPE1v2_IOMMU))
          .isEqualTo(1);
      for (Container.Type type : Container.Type.values()) {
        try (Container container = Container.open(mock.iommufd(), type)) {
          assertThat(container.type()).isEqualTo(type);
        }
      }
    }
  }

  @Test
  void containerWithoutAGroupMapsNothing() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Mock mock = Mock.open()) {
      MemorySegment request = arena.allocate(vfio_iommu_type1_dma_map.LAYOUT);
      vfio_iommu_type1_dma_map.argsz(request, 1);
      Raw.assertRefused(Errno.EINVAL, mock, Ioctl.VFIO_IOMMU_MAP_DMA, request);
      vfio_iommu_type1_dma_map.argsz(request, (int) vfio_iommu_type1_dma_map.SIZEOF);
      vfio_iommu_type1_dma_map.flags(request, FLAG_THAT_IS_NONE);
      Raw.assertRefused(Errno.EINVAL, mock, Ioctl.VFIO_IOMMU_MAP_DMA, request);
      vfio_iommu_type1_dma_map.flags(request, vfio_h.VFIO_DMA_MAP_FLAG_READ);
      vfio_iommu_type1_dma_map.vaddr(request, Memory.pages(arena, 1).address());
      vfio_iommu_type1_dma_map.iova(request, Mock.APERTURE_FIRST);
      vfio_iommu_type1_dma_map.size(request, PAGE);
      Raw.assertRefused(Errno.ENODEV, mock, Ioctl.VFIO_IOMMU_MAP_DMA, request);

      try (Container container = Container.open(mock.iommufd(), Container.Type.TYPE1V2)) {
        assertThatIllegalStateException()
            .isThrownBy(() -> container.allocate(PAGE))
            .withMessageContaining("no group");
      }
    }
  }

  @Test
  void containerWithoutAGroupUnmapsNothing() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Mock mock = Mock.open()) {
      MemorySegment request = arena.allocate(vfio_iommu_type1_dma_unmap.LAYOUT);
      vfio_iommu_type1_dma_unmap.iova(request, Mock.APERTURE_FIRST);
      vfio_iommu_type1_dma_unmap.size(request, PAGE);
      vfio_iommu_type1_dma_unmap.argsz(request, 1);
      Raw.assertRefused(Errno.EINVAL, mock, Ioctl.VFIO_IOMMU_UNMAP_DMA, request);
      vfio_iommu_type1_dma_unmap.argsz(request, (int) vfio_iommu_type1_dma_unmap.SIZEOF);
      vfio_iommu_type1_dma_unmap.flags(request, FLAG_THAT_IS_NONE);
      Raw.assertRefused(Errno.EINVAL, mock, Ioctl.VFIO_IOMMU_UNMAP_DMA, request);
      vfio_iommu_type1_dma_unmap.flags(request, 0);
      Raw.assertRefused(Errno.ENODEV, mock, Ioctl.VFIO_IOMMU_UNMAP_DMA, request);

      try (Container container = Container.open(mock.iommufd(), Container.Type.TYPE1V2)) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> container.unmap(Mock.APERTURE_FIRST, PAGE));
        container.unmapAll();
      }
    }
  }

  @Test
  void containerWithoutAGroupHasNoIommu() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Mock mock = Mock.open()) {
      MemorySegment request = arena.allocate(vfio_iommu_type1_info.LAYOUT);
      vfio_iommu_type1_info.argsz(request, 1);
      Raw.assertRefused(Errno.EINVAL, mock, Ioctl.VFIO_IOMMU_GET_INFO, request);
      vfio_iommu_type1_info.argsz(request, (int) vfio_iommu_type1_info.SIZEOF);
      Raw.assertRefused(Errno.ENODEV, mock, Ioctl.VFIO_IOMMU_GET_INFO, request);
    }
  }

  @Test
  void containerWithoutAGroupCannotChooseItsIommu() throws IOException {
    try (Mock mock = Mock.open()) {
      for (int type : new int[] {vfio_h.VFIO_TYPE1_IOMMU, vfio_h.VFIO_TYPE1v2_IOMMU}) {
        Raw.assertAnswer(
            -Errno.ENODEV.number(),
            Raw.ioctl(mock, Ioctl.VFIO_SET_IOMMU, type),
            Ioctl.VFIO_SET_IOMMU);
      }
    }
  }

  @Test
  void addressSpaceOfTheLegacyInterfaceIsChosenAndForgotten() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        Iommufd foreign = Iommufd.open()) {
      assertThat(iommufd.compatibilityIoas()).isEmpty();
      Ioas gone = iommufd.allocateIoas();
      gone.close();
      assertThatIllegalStateException().isThrownBy(() -> iommufd.setCompatibilityIoas(gone));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> iommufd.setCompatibilityIoas(foreign.allocateIoas()));

      Ioas ioas = iommufd.allocateIoas();
      iommufd.setCompatibilityIoas(ioas);
      assertThat(iommufd.compatibilityIoas()).containsSame(ioas);
      iommufd.clearCompatibilityIoas();
      assertThat(iommufd.compatibilityIoas()).isEmpty();
      iommufd.clearCompatibilityIoas();
      iommufd.setCompatibilityIoas(ioas);
      ioas.close();
      assertThat(iommufd.compatibilityIoas()).isEmpty();
    }
  }
}
