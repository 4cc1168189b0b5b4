package io.github.vfio4j.bench;

import io.github.vfio4j.Backend;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;

/**
 * Reads or writes registers of a mapped region, eight in each turn of the loop, so that the loop
 * itself weighs little.
 */
abstract class MmioAccess implements Workload {
  private static final int ACCESSES_PER_TURN = 8;

  private final VfioDevice device;
  private final MappedRegion registers;

  /** Takes up what was read, so that the compiler cannot leave the sum out. */
  private long sink;

  MmioAccess() throws VfioException {
    device = VfioDevice.open(Devices.IVSHMEM, Backend.IOMMUFD);
    registers = device.region(2).map();
  }

  abstract long turns(MappedRegion registers, int turns);

  @Override
  public final double run(int operations) {
    int turns = operations / ACCESSES_PER_TURN;
    long start = System.nanoTime();
    sink += turns(registers, turns);
    return (double) (System.nanoTime() - start) / (turns * ACCESSES_PER_TURN);
  }

  @Override
  public final void close() throws VfioException {
    device.close();
  }

  @Override
  public final String toString() {
    return "sum " + sink;
  }

  static final class Read32 extends MmioAccess {
    Read32() throws VfioException {}

    @Override
    long turns(MappedRegion registers, int turns) {
      int sum = 0;
      for (int turn = 0; turn < turns; turn++) {
        sum += registers.getInt(0);
        sum += registers.getInt(4);
        sum += registers.getInt(8);
        sum += registers.getInt(12);
        sum += registers.getInt(16);
        sum += registers.getInt(20);
        sum += registers.getInt(24);
        sum += registers.getInt(28);
      }
      return sum;
    }
  }

  static final class Read64 extends MmioAccess {
    Read64() throws VfioException {}

    @Override
    long turns(MappedRegion registers, int turns) {
      long sum = 0;
      for (int turn = 0; turn < turns; turn++) {
        sum += registers.getLong(0);
        sum += registers.getLong(8);
        sum += registers.getLong(16);
        sum += registers.getLong(24);
        sum += registers.getLong(32);
        sum += registers.getLong(40);
        sum += registers.getLong(48);
        sum += registers.getLong(56);
      }
      return sum;
    }
  }

  static final class Write32 extends MmioAccess {
    Write32() throws VfioException {}

    @Override
    long turns(MappedRegion registers, int turns) {
      for (int turn = 0; turn < turns; turn++) {
        registers.setInt(0, turn);
        registers.setInt(4, turn);
        registers.setInt(8, turn);
        registers.setInt(12, turn);
        registers.setInt(16, turn);
        registers.setInt(20, turn);
        registers.setInt(24, turn);
        registers.setInt(28, turn);
      }
      return turns;
    }
  }

  static final class Write64 extends MmioAccess {
    Write64() throws VfioException {}

    @Override
    long turns(MappedRegion registers, int turns) {
      for (int turn = 0; turn < turns; turn++) {
        registers.setLong(0, turn);
        registers.setLong(8, turn);
        registers.setLong(16, turn);
        registers.setLong(24, turn);
        registers.setLong(32, turn);
        registers.setLong(40, turn);
        registers.setLong(48, turn);
        registers.setLong(56, turn);
      }
      return turns;
    }
  }
}
