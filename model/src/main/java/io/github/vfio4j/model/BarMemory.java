package io.github.vfio4j.model;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.MappedMemory;
import io.github.vfio4j.linux.Alignment;
import io.github.vfio4j.linux.DeviceMapping;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Pages;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * The memory of a BAR that is plain memory: a file, which the model sees as a segment, and which
 * the driver maps as it would map a device's.
 */
final class BarMemory {
  private static final int MFD_CLOEXEC = 1;

  private final Kernel kernel;
  private final Fd file;
  private final Pages pages;

  private BarMemory(Kernel kernel, Fd file, Pages pages) {
    this.kernel = kernel;
    this.file = file;
    this.pages = pages;
  }

  static BarMemory of(Kernel kernel, String object, long size) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Fd file = new Fd(kernel, object);
      rollback.add(file::close);
      int fd = file.take(kernel.memfdCreate("bar", MFD_CLOEXEC));
      Answer.require("memfd_create", object, fd, "");
      long whole = Alignment.up(size, kernel.pageSize());
      Answer.require("ftruncate", object, kernel.ftruncate(fd, whole), "");
      Pages pages = new Pages(kernel);
      rollback.add(pages::free);
      Answer.require("mmap", object, pages.mapShared(whole, fd), "");
      return rollback.done(new BarMemory(kernel, file, pages));
    }
  }

  MemorySegment segment() {
    return pages.segment();
  }

  MappedRegion map(long offset, long size, String object, Consumer<MappedRegion> owner)
      throws VfioException {
    long whole = Alignment.up(size, kernel.pageSize());
    DeviceMapping mapping = new DeviceMapping(kernel, whole, true, true);
    int fd = file.acquire();
    try {
      return MappedMemory.map(fd, offset, mapping, owner, object, offset, size);
    } finally {
      file.release();
    }
  }

  void close(Closing closing) {
    closing.attempt(() -> Answer.require("munmap", file.object(), pages.free(), ""));
    closing.attempt(() -> Answer.require("close", file.object(), file.close(), ""));
  }
}
