package io.github.vfio4j.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.RegionCapability;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** What a kernel says of a device, its regions and its interrupts, and the chains behind that. */
public final class DeviceRepliesFuzz {
  private static final Kernel KERNEL = Kernel.running();

  private DeviceRepliesFuzz() {}

  /** Takes an input for a reply to each question. */
  public static void fuzzerTestOneInput(byte[] input) {
    Replying channel = new Replying(input);
    try {
      DeviceInfo info = DeviceInfoReply.read(channel);
      require(info.regionCount() >= 0 && info.irqCount() >= 0, info);
    } catch (VfioException e) {
      requireMessage(e);
    }
    try {
      RegionInfo region = RegionInfoReply.read(channel, 1);
      require(region.size() >= 0 && region.offset() >= 0, region);
      for (RegionCapability capability : region.capabilities()) {
        if (capability instanceof RegionCapability.SparseMmap sparse) {
          for (RegionCapability.SparseMmap.Area area : sparse.areas()) {
            require(area.offset() >= 0 && area.size() <= region.size() - area.offset(), region);
          }
        }
      }
    } catch (VfioException e) {
      requireMessage(e);
    }
    try {
      require(IrqVectors.read(KERNEL, channel, 0, true).count() >= 0, channel);
    } catch (VfioException e) {
      requireMessage(e);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply = arena.allocate(Math.max(16, input.length), Long.BYTES);
      MemorySegment.copy(
          MemorySegment.ofArray(input), 0, reply, 0, Math.min(input.length, reply.byteSize()));
      long first = Integer.toUnsignedLong(reply.get(JAVA_INT, 0));
      for (CapabilityChain.Link link : CapabilityChain.walk(reply, first, 8, "fuzz")) {
        require(link.raw().payload().length == link.bytes().byteSize() - 8, link);
      }
    } catch (VfioException e) {
      requireMessage(e);
    }
  }

  private static void requireMessage(VfioException e) {
    require(!String.valueOf(e.getMessage()).isEmpty(), e);
  }

  private static void require(boolean holds, Object what) {
    if (!holds) {
      throw new AssertionError(what.toString());
    }
  }

  /** Answers every question with the same bytes. */
  private record Replying(MemorySegment input) implements DeviceChannel {
    Replying(byte[] input) {
      this(MemorySegment.ofArray(input));
    }

    private int reply(MemorySegment reply) {
      MemorySegment.copy(input, 0, reply, 0, Math.min(input.byteSize(), reply.byteSize()));
      return 0;
    }

    @Override
    public String name() {
      return "fuzz";
    }

    @Override
    public int info(MemorySegment info) {
      return reply(info);
    }

    @Override
    public int regionInfo(MemorySegment info) {
      return reply(info);
    }

    @Override
    public int irqInfo(MemorySegment info) {
      return reply(info);
    }

    @Override
    public int setIrqs(MemorySegment request) {
      return 0;
    }

    @Override
    public int reset() {
      return 0;
    }

    @Override
    public int ask(Ioctl operation, MemorySegment request) {
      return reply(request);
    }

    @Override
    public long read(long offset, MemorySegment target) {
      return reply(target);
    }

    @Override
    public long write(long offset, MemorySegment source) {
      return source.byteSize();
    }

    @Override
    public MappedRegion map(
        RegionInfo region, long offset, long size, String name, Consumer<MappedRegion> owner) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean isClosed() {
      return false;
    }

    @Override
    public int close() {
      return 0;
    }
  }
}
