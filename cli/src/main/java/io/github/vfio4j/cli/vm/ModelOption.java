package io.github.vfio4j.cli.vm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.model.DeviceModel;
import io.github.vfio4j.model.edu.EduModel;
import io.github.vfio4j.model.nvme.NvmeModel;
import java.util.List;

/**
 * A device model as it is given.
 *
 * @param kind which one
 * @param size bytes of the disk, of one that is a disk
 * @param slot that of the guest's bus, 0 for any
 */
record ModelOption(Kind kind, long size, int slot) {
  /** The models that there are, by the names that people type. */
  enum Kind {
    EDU("edu"),
    NVME("nvme");

    private final String title;

    Kind(String title) {
      this.title = title;
    }

    private List<String> settings() {
      return this == NVME ? List.of(SIZE, Settings.SLOT) : List.of(Settings.SLOT);
    }

    @Override
    public String toString() {
      return title;
    }
  }

  private static final String SIZE = "size";
  private static final long USUAL_SIZE = 64 << 20;
  private static final int BLOCK = 512;
  private static final long MOST = 1L << 31;

  static ModelOption parse(String text) {
    String title = text.split(",", 2)[0];
    for (Kind kind : Kind.values()) {
      if (kind.title.equals(title)) {
        Settings settings = Settings.parse(text, kind.settings());
        long size = settings.value(SIZE).map(ModelOption::size).orElse(USUAL_SIZE);
        return new ModelOption(kind, size, settings.slot());
      }
    }
    throw new IllegalArgumentException("there is no model '" + title + "': there are edu, nvme");
  }

  private static long size(String typed) {
    long bytes = Size.parse(typed).orElse(0);
    if (bytes <= 0 || bytes >= MOST || bytes % BLOCK != 0) {
      throw new IllegalArgumentException(
          "a disk cannot have size=%s: it has whole blocks of 512 bytes, and less than 2 GiB"
              .formatted(typed));
    }
    return bytes;
  }

  /**
   * Makes the model.
   *
   * @param name what it is called
   */
  DeviceModel make(String name) throws VfioException {
    try {
      return switch (kind) {
        case EDU -> new EduModel();
        case NVME -> new NvmeModel((int) (size / BLOCK), BLOCK);
      };
    } catch (OutOfMemoryError e) {
      throw new VfioException(
          "make",
          name,
          null,
          "Java may have %s of memory in all: too little for a disk of %s"
              .formatted(Size.of(Runtime.getRuntime().maxMemory()), Size.of(size)));
    }
  }
}
