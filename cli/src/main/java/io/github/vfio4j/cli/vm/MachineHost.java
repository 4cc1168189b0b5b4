package io.github.vfio4j.cli.vm;

import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.StandardStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a machine has of its host, besides devices.
 *
 * @param kvm the kernel's virtualization
 * @param in what is typed to the guest
 * @param terminal whether that is a terminal
 * @param out what shows the guest's console
 * @param booting how a machine is turned on
 */
record MachineHost(
    Path kvm, InputStream in, boolean terminal, FileOutputStream out, Machine.Booting booting) {
  /** Returns what this process has. */
  static MachineHost running() {
    return new MachineHost(
        Path.of("/dev/kvm"),
        System.in,
        StandardStream.INPUT.isTerminal(),
        new FileOutputStream(FileDescriptor.out),
        Machine::boot);
  }

  /** Refuses where no machine could be run, in the words of who runs it. */
  void requireKvm() throws VfioException {
    if (!Files.exists(kvm)) {
      throw new UnsupportedByKernelException(
          "open",
          kvm.toString(),
          null,
          "this kernel or this processor has no virtualization (or its module is not loaded:"
              + " kvm_intel, kvm_amd)");
    }
    if (!Files.isReadable(kvm) || !Files.isWritable(kvm)) {
      throw new NotPermittedException(
          "open",
          kvm.toString(),
          null,
          "this user may not run virtual machines: mostly the group kvm may");
    }
  }
}
