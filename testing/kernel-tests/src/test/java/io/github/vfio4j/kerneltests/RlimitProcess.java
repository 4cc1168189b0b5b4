package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.RlimitMode;
import java.io.IOException;
import java.lang.foreign.Arena;

/** Pins four pages in each mode, and prints what they count for, or why it cannot. */
final class RlimitProcess {
  private RlimitProcess() {}

  public static void main(String[] arguments) throws IOException {
    for (RlimitMode mode : RlimitMode.values()) {
      try (Arena arena = Arena.ofConfined();
          Iommufd iommufd = Iommufd.open()) {
        iommufd.setRlimitMode(mode);
        if (iommufd.rlimitMode() != mode) {
          System.out.println("the mode is " + iommufd.rlimitMode());
        }
        Ioas ioas = iommufd.allocateIoas();
        EduTests.edu(iommufd).attach(ioas);
        ioas.map(EduDma.pages(arena, 4), READ_WRITE);
        System.out.println(mode.name() + " " + LockedMemory.bytes());
      } catch (VfioException e) {
        System.out.println(
            mode.name() + ": " + e.getClass().getSimpleName() + ": " + e.getMessage());
      }
    }
  }
}
