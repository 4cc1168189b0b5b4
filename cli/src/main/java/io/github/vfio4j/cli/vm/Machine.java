package io.github.vfio4j.cli.vm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import java.io.OutputStream;

/** A machine that runs, as far as the command has to do with it. */
interface Machine extends AutoCloseable {
  /** Turns one on whose console is written to a stream. */
  @FunctionalInterface
  interface Booting {
    Machine boot(MachineSetup setup, OutputStream console) throws VfioException;
  }

  Ending await() throws VfioException, InterruptedException;

  void type(byte... typed) throws VfioException;

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
