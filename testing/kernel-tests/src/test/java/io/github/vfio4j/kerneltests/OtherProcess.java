package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;

import io.github.vfio4j.Backend;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Drives the edu as a user without privileges, prints what came of each step, and goes on when it
 * gets a line of input. It is one program because a JVM is slow to start in a machine of the lab.
 */
final class OtherProcess {
  private static final int MANY = 32;
  private static final int FEW = 8;

  private OtherProcess() {}

  public static void main(String[] arguments) throws IOException {
    for (Backend backend : Machine.backends().toList()) {
      attempt("open " + backend.name(), () -> VfioDevice.open(Machine.EDU, backend).close());
    }
    System.out.println("waiting for the nodes");
    System.in.read();
    for (Backend backend : Machine.backends().toList()) {
      map(backend);
    }
    if (Machine.hasCdev()) {
      attach();
    }
  }

  private static void map(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      MemorySegment memory = EduDma.pages(arena, MANY);
      attempt(
          "map too much " + backend.name(), () -> device.addressSpace().map(memory, READ_WRITE));
      System.out.println("locked " + LockedMemory.bytes());
      attempt("allocate too much " + backend.name(), () -> device.addressSpace().allocate(1 << 20));
      MemorySegment part = memory.asSlice(0, FEW * EduDma.PAGE);
      attempt("map less " + backend.name(), () -> device.addressSpace().map(part, READ_WRITE));
      System.out.println("locked " + LockedMemory.bytes());
      System.out.println("holding the device");
      System.in.read();
    }
    System.out.println("free");
    System.in.read();
  }

  /** An IOAS pins its memory when its first device is attached. */
  private static void attach() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      ioas.map(EduDma.pages(arena, MANY), 0, READ_WRITE);
      CdevDevice device = iommufd.bind(Sysfs.host().device(Machine.EDU));
      attempt("attach", () -> device.attach(ioas));
      System.out.println("locked " + LockedMemory.bytes());
    }
  }

  private interface Attempt {
    void run() throws VfioException;
  }

  private static void attempt(String what, Attempt attempt) {
    String result = "done";
    try {
      attempt.run();
    } catch (VfioException e) {
      result = e.getClass().getSimpleName() + ": " + e.getMessage();
    }
    System.out.println(what + ": " + result);
  }
}
