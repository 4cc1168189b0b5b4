package io.github.vfio4j.container;

import io.github.vfio4j.VfioException;
import java.lang.foreign.MemorySegment;

/** What a kernel says of a container. */
public final class ContainerInfoFuzz {
  private ContainerInfoFuzz() {}

  /** Takes an input for the reply. */
  public static void fuzzerTestOneInput(byte[] input) {
    MemorySegment bytes = MemorySegment.ofArray(input);
    try {
      ContainerInfo info =
          ContainerInfo.read(
              "fuzz",
              reply -> {
                MemorySegment.copy(
                    bytes, 0, reply, 0, Math.min(bytes.byteSize(), reply.byteSize()));
                return 0;
              });
      if (info.granule() <= 0 || info.mappingsLeft().orElse(0) < 0) {
        throw new AssertionError(info.toString());
      }
    } catch (VfioException e) {
      if (String.valueOf(e.getMessage()).isEmpty()) {
        throw new AssertionError(e);
      }
    }
  }
}
