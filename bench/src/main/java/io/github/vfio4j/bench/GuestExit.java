package io.github.vfio4j.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_run;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.vmm.bus.AddressMap;
import io.github.vfio4j.vmm.bus.BusDevice;
import io.github.vfio4j.vmm.kvm.Kvm;
import io.github.vfio4j.vmm.kvm.Vcpu;
import io.github.vfio4j.vmm.kvm.Vm;
import java.lang.foreign.MemorySegment;

/** A guest that does nothing but write to a port, or to an address that is no memory. */
final class GuestExit implements Workload {
  private static final int PAGE = 4096;
  private static final long LAST_PAGE = 0xffff_f000L;
  private static final int RESET_VECTOR = 0xff0;
  private static final int RANGES = 16;
  private static final int RANGE = 0x40;

  /** {@code out 0x80, al}, and back. */
  private static final byte[] TO_PORT = {(byte) 0xe6, (byte) 0x80, (byte) 0xeb, (byte) 0xfc};

  /** {@code mov [0x80], al}, and back. */
  private static final byte[] TO_MEMORY = {(byte) 0xa2, (byte) 0x80, 0, (byte) 0xeb, (byte) 0xfb};

  /** Counts what is written. */
  private static final class Counter implements BusDevice {
    private long written;

    @Override
    public long read(long offset, int width) {
      return 0;
    }

    @Override
    public void write(long offset, int width, long value) {
      written += offset + value + 1;
    }
  }

  private final Kvm kvm;
  private final Vm vm;
  private final MemoryFile memory;
  private final Vcpu vcpu;
  private final AddressMap addresses = new AddressMap();
  private final Counter[] counters = new Counter[RANGES];

  private GuestExit(byte[] code) throws VfioException {
    kvm = Kvm.open();
    vm = kvm.createVm();
    memory = MemoryFile.create("guest", PAGE);
    memory.segment().asSlice(RESET_VECTOR).copyFrom(MemorySegment.ofArray(code));
    vm.slots().map(LAST_PAGE, memory.segment(), PAGE, memory);
    vcpu = vm.createVcpu(0);
    for (int i = 0; i < RANGES; i++) {
      counters[i] = new Counter();
      addresses.add((long) i * RANGE, RANGE, counters[i]);
    }
  }

  static GuestExit byPort() throws VfioException {
    return new GuestExit(TO_PORT);
  }

  static GuestExit byMemory() throws VfioException {
    return new GuestExit(TO_MEMORY);
  }

  @Override
  public double run(int operations) throws VfioException {
    long start = System.nanoTime();
    for (int i = 0; i < operations; i++) {
      if (!vcpu.run()) {
        throw new VfioException("KVM_RUN", vcpu.toString(), null, "it was interrupted");
      }
      stopped(vcpu.state());
    }
    return (double) (System.nanoTime() - start) / operations;
  }

  private void stopped(MemorySegment state) throws VfioException {
    switch (kvm_run.exit_reason(state)) {
      case kvm_h.KVM_EXIT_IO -> {
        MemorySegment io = kvm_run.io(state);
        long value = Byte.toUnsignedLong(state.get(JAVA_BYTE, kvm_run.io.data_offset(io)));
        addresses.write(Short.toUnsignedInt(kvm_run.io.port(io)), kvm_run.io.size(io), value);
      }
      case kvm_h.KVM_EXIT_MMIO -> {
        MemorySegment mmio = kvm_run.mmio(state);
        long value = Byte.toUnsignedLong(kvm_run.mmio.data(mmio).get(JAVA_BYTE, 0));
        addresses.write(kvm_run.mmio.phys_addr(mmio), kvm_run.mmio.len(mmio), value);
      }
      default ->
          throw new VfioException(
              "KVM_RUN", vcpu.toString(), null, "reason " + kvm_run.exit_reason(state));
    }
  }

  @Override
  public void close() throws VfioException {
    vm.close();
    memory.close();
    kvm.close();
  }

  @Override
  public String toString() {
    long sum = 0;
    for (Counter counter : counters) {
      sum += counter.written;
    }
    return "sum " + sum;
  }
}
