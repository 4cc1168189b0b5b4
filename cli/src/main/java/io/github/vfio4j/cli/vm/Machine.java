package io.github.vfio4j.cli.vm;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.DeviceSetup;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;

/** A machine that runs, as far as the command has to do with it. */
interface Machine extends AutoCloseable {
  /** Turns one on whose console is written to a stream. */
  @FunctionalInterface
  interface Booting {
    Machine boot(MachineSetup setup, OutputStream console) throws VfioException;
  }

  Ending await() throws VfioException, InterruptedException;

  void type(byte... typed) throws VfioException;

  List<String> devices();

  void plug(DeviceSetup device) throws VfioException;

  void unplug(String name, Duration patience) throws VfioException, InterruptedException;

  long addMemory(long bytes) throws VfioException;

  void removeMemory(long address, Duration patience) throws VfioException, InterruptedException;

  void setDirtyTracking(boolean on) throws VfioException;

  List<DirtyBitmap> readAndClearDirty() throws VfioException;

  void stop() throws VfioException;

  @Override
  void close() throws VfioException;

  static Machine boot(MachineSetup setup, OutputStream console) throws VfioException {
    VirtualMachine machine = VirtualMachine.boot(setup.console(console));
    return new Machine() {
      @Override
      public Ending await() throws VfioException, InterruptedException {
        return machine.await();
      }

      @Override
      public void type(byte... typed) throws VfioException {
        machine.type(typed);
      }

      @Override
      public List<String> devices() {
        return machine.devices();
      }

      @Override
      public void plug(DeviceSetup device) throws VfioException {
        machine.plug(device);
      }

      @Override
      public void unplug(String name, Duration patience)
          throws VfioException, InterruptedException {
        machine.unplug(name, patience);
      }

      @Override
      public long addMemory(long bytes) throws VfioException {
        return machine.addMemory(bytes);
      }

      @Override
      public void removeMemory(long address, Duration patience)
          throws VfioException, InterruptedException {
        machine.removeMemory(address, patience);
      }

      @Override
      public void setDirtyTracking(boolean on) throws VfioException {
        machine.setDirtyTracking(on);
      }

      @Override
      public List<DirtyBitmap> readAndClearDirty() throws VfioException {
        return machine.readAndClearDirty();
      }

      @Override
      public void stop() throws VfioException {
        machine.stop();
      }

      @Override
      public void close() throws VfioException {
        machine.close();
      }
    };
  }
}
