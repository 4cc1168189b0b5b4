package io.github.vfio4j.examples;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.model.Bar;
import io.github.vfio4j.model.Bus;
import io.github.vfio4j.model.DeviceModel;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.PciLayout;
import io.github.vfio4j.model.Registers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Tests the driver of a device that does not exist: a model of the device, its driver, and what a
 * test of the driver does. It needs no VFIO, no root and no machine of the lab, but runs there too.
 *
 * <pre>{@code
 * lab/run -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.TestOnModel
 * }</pre>
 */
final class TestOnModel {
  private TestOnModel() {}

  public static void main(String[] arguments) throws IOException {
    try (ModelHost host = ModelHost.of(new AdderModel());
        VfioDevice device = host.open()) {
      System.out.println("1 + 2 + 3 = " + Adder.sum(device, 1, 2, 3));
      System.out.println("DMA that went wrong: " + host.dmaFaults());
    }
  }

  /**
   * A device that adds up numbers. BAR 0 has three registers of 64 bits: at 0 where the numbers
   * are, at 8 how many, which starts the device, and at 16 their sum.
   */
  static final class AdderModel implements DeviceModel, Registers {
    private final PciLayout layout =
        PciLayout.of(0x1234, 0x0add).bar(0, Bar.registers(4096, this)).build();
    private @Nullable Bus bus;
    private long address;
    private long sum;

    @Override
    public PciLayout layout() {
      return layout;
    }

    @Override
    public void plugIn(Bus plug) {
      bus = plug;
    }

    @Override
    public void reset() {
      address = 0;
      sum = 0;
    }

    @Override
    public long read(long offset, int width) {
      return offset == 16 ? sum : 0;
    }

    @Override
    public void write(long offset, int width, long value) {
      if (offset == 0) {
        address = value;
      } else if (offset == 8) {
        add(value);
      }
    }

    private void add(long count) {
      sum = 0;
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment number = arena.allocate(Long.BYTES);
        for (long i = 0; i < count && bus != null; i++) {
          bus.read(address + i * Long.BYTES, number);
          sum += number.get(JAVA_LONG_UNALIGNED, 0);
        }
      }
    }
  }

  /** The driver: it would run on the real device, if there were one, as it is. */
  static final class Adder {
    private Adder() {}

    static long sum(VfioDevice device, long... numbers) throws IOException {
      try (MappedRegion registers = device.pci().bar(0).map();
          DmaBuffer buffer = device.addressSpace().allocate(4096)) {
        device.pci().config().setBusMaster(true);
        buffer.segment().copyFrom(MemorySegment.ofArray(numbers));
        registers.setLong(0, buffer.iova());
        registers.setLongRelease(8, numbers.length);
        return registers.getLong(16);
      }
    }
  }
}
