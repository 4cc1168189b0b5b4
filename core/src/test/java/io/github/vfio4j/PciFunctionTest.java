package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.PciFunction.IrqKind;
import io.github.vfio4j.PciFunction.RegionKind;
import io.github.vfio4j.fake.FakeMachine;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Regions and interrupts of a PCI device, by what they are and by the numbers of linux/vfio.h. */
class PciFunctionTest {
  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;

  @BeforeEach
  void open() throws VfioException {
    machine = new FakeMachine(root);
    device = machine.open(Backend.IOMMUFD);
  }

  @AfterEach
  void close() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void regionsHaveTheNumbersOfTheKernel() throws VfioException {
    PciFunction pci = device.pci();

    assertThat(pci.region(RegionKind.BAR0)).isSameAs(device.region(0)).isSameAs(pci.bar(0));
    assertThat(pci.region(RegionKind.BAR5)).isSameAs(device.region(5)).isSameAs(pci.bar(5));
    assertThat(pci.region(RegionKind.ROM)).isSameAs(device.region(6)).isSameAs(pci.rom());
    assertThat(pci.region(RegionKind.CONFIG)).isSameAs(device.region(7));
    assertThat(pci.config().region()).isSameAs(device.region(7));
    assertThat(pci.region(RegionKind.VGA)).isSameAs(device.region(8));
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> pci.bar(6));
  }

  @Test
  void interruptsHaveTheNumbersOfTheKernel() throws VfioException {
    PciFunction pci = device.pci();

    assertThat(pci.irq(IrqKind.INTX)).isSameAs(device.irq(0)).isSameAs(pci.intx());
    assertThat(pci.irq(IrqKind.MSI)).isSameAs(device.irq(1)).isSameAs(pci.msi());
    assertThat(pci.irq(IrqKind.MSIX)).isSameAs(device.irq(2)).isSameAs(pci.msix());
    assertThat(pci.irq(IrqKind.ERR)).isSameAs(device.irq(3)).isSameAs(pci.error());
    assertThat(pci.irq(IrqKind.REQ)).isSameAs(device.irq(4)).isSameAs(pci.request());
  }

  @Test
  void numbersOfOtherDriversHaveNoNameOfPci() {
    assertThat(RegionKind.of(8)).contains(RegionKind.VGA);
    assertThat(RegionKind.of(9)).isEmpty();
    assertThat(RegionKind.of(-1)).isEmpty();
    assertThat(IrqKind.of(2)).contains(IrqKind.MSIX);
    assertThat(IrqKind.of(5)).isEmpty();
    assertThat(IrqKind.of(-1)).isEmpty();
  }

  @Test
  void everyNameComesBackFromItsNumber() {
    assertThat(RegionKind.values())
        .allSatisfy(it -> assertThat(RegionKind.of(it.index())).contains(it));
    assertThat(IrqKind.values()).allSatisfy(it -> assertThat(IrqKind.of(it.index())).contains(it));
  }
}
