package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;

import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.iommufd.RlimitMode;
import io.github.vfio4j.mock.Mock;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;

/**
 * A process that has pinned a page of a file in two iommufds, each of which counts it in its way.
 *
 * <p>It prints their descriptors and what is counted as its own. With the next line of input it
 * takes back what another process may have taken over, and with one more it unpins it.
 */
final class PinningProcess {
  private PinningProcess() {}

  public static void main(String[] arguments) throws IOException {
    try (Mock byUser = Mock.open();
        Mock byProcess = Mock.open();
        MemoryFile file = MemoryFile.create("mock", PAGE)) {
      byUser.iommufd().setRlimitMode(RlimitMode.USER);
      byProcess.iommufd().setRlimitMode(RlimitMode.PROCESS);
      for (Mock mock : new Mock[] {byUser, byProcess}) {
        Ioas ioas = mock.iommufd().allocateIoas();
        MockDevice.attach(mock, ioas);
        ioas.mapFile(file, 0, PAGE, READ_WRITE);
        mock.iommufd().changeProcess(); // to the process that it is
      }
      System.out.println(byUser.descriptor() + " " + byProcess.descriptor());
      System.out.println(SharedIommufd.counted());

      System.in.read();
      System.out.println(SharedIommufd.counted());
      byUser.iommufd().changeProcess();
      byProcess.iommufd().changeProcess();
      System.out.println(SharedIommufd.counted());
      System.in.read();
    }
    System.out.println(SharedIommufd.counted());
  }
}
