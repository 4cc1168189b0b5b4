package io.github.vfio4j.iommufd;

import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.MemlockLimitException;
import io.github.vfio4j.Region;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.DeviceFile;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Step;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/**
 * A device opened through its own node and bound to an {@link Iommufd}, which owns it; {@link
 * Iommufd#bind} makes one.
 *
 * <p>It may be attached to an {@link Ioas} or a {@link Hwpt}, replaced onto another while DMA is
 * under way, and detached; where it has PASIDs, each of them likewise.
 */
@SuppressWarnings("exports") // the engine is for the packages of this module
public final class CdevDevice implements VfioDevice, BoundDevice, OpenDevice.Owner {
  private final Iommufd iommufd;
  private final int id;
  private final DeviceFile file;
  private final Dependents registrations;
  private final boolean passed;
  private final OpenDevice device;
  private final Attachments attachments;
  private final Dependents virtualDevices = new Dependents();

  /**
   * Takes over a bound device; the caller closes it if this throws.
   *
   * @param registrations what has the file, and ends before it
   * @param passed whether somebody else may hold the file open, too
   */
  CdevDevice(
      Iommufd iommufd,
      DeviceFile file,
      BackendChoice choice,
      int id,
      Dependents registrations,
      boolean passed)
      throws VfioException {
    this.iommufd = iommufd;
    this.id = id;
    this.registrations = registrations;
    this.file = file;
    this.passed = passed;
    this.attachments = new Attachments(iommufd, file);
    this.device = new OpenDevice(iommufd.kernel(), file, choice, new IommufdBacking(), iommufd);
  }

  /** What binding adds to the closing of a device. */
  private final class IommufdBacking implements OpenDevice.Backing {
    /**
     * Ends what closing the file would not end. A guest's number of the device would outlive it as
     * a number that nobody can use or remove. And whoever passed the file may hold it open, and
     * then closing ours alone would end nothing.
     */
    @Override
    public void stop(Closing closing) {
      if (iommufd.isLeft()) {
        device.leaveInterrupts(closing);
        registrations.close(closing);
        return;
      }
      if (!virtualDevices.isEmpty()) {
        // or the guest's page table would lose the number under way
        closing.attempt(CdevDevice.this::detach);
        virtualDevices.close(closing);
      }
      if (passed) {
        closing.attempt(device::disableInterrupts);
        attachments.detachAll(closing);
      }
      registrations.close(closing);
    }

    @Override
    public void leaveOwner() {
      iommufd.forget(CdevDevice.this);
    }

    @Override
    public boolean isShared() {
      return passed;
    }
  }

  /** Has something closed right after this device, which was opened for it alone. */
  void closeAfterwards(Step closing) {
    device.closeAfterwards(closing);
  }

  @Override
  public int id() {
    return id;
  }

  @Override
  public Iommufd iommufd() {
    return iommufd;
  }

  /**
   * For the packages of this module.
   *
   * @return the engine
   */
  @Override
  public OpenDevice engine() {
    return device;
  }

  @Override
  public String name() {
    return device.name();
  }

  @Override
  public boolean isClosed() {
    return device.isClosed();
  }

  @Override
  public BackendChoice choice() {
    return device.choice();
  }

  @Override
  public DeviceInfo info() {
    return device.info();
  }

  @Override
  public Region region(int index) throws VfioException {
    return device.region(index);
  }

  @Override
  public IrqIndex irq(int index) throws VfioException {
    return device.irq(index);
  }

  @Override
  public void reset() throws VfioException {
    device.reset();
  }

  /** The numbers by which guests know this device. Guarded by the monitor of the iommufd. */
  Dependents virtualDevices() {
    return virtualDevices;
  }

  /**
   * Returns the IO address space that the device does its DMA in: the one it is attached to, or
   * whose mappings are in the page table that it is attached to.
   *
   * @return the address space
   * @throws IllegalStateException if the device is attached to nothing, or to a page table of a
   *     guest, whose addresses are the guest's own
   */
  @Override
  public Ioas addressSpace() {
    return switch (attachments.ofDevice()) {
      case null -> throw new IllegalStateException(this + " is attached to no IO address space");
      case Ioas ioas -> ioas;
      case HwptPaging hwpt -> hwpt.ioas();
      case HwptNested hwpt ->
          throw new IllegalStateException(
              this + " is attached to " + hwpt + ", whose addresses are the guest's");
    };
  }

  /**
   * Returns what the device is attached to.
   *
   * @return the address space or page table, or empty where it is attached to nothing
   */
  public Optional<PageTable> attached() {
    return Optional.ofNullable(attachments.ofDevice());
  }

  /**
   * Returns what a PASID of the device is attached to.
   *
   * @param pasid the PASID
   * @return the address space or page table, or empty where it is attached to nothing
   */
  public Optional<PageTable> attached(int pasid) {
    synchronized (iommufd) {
      return Optional.ofNullable(attachments.ofPasid(pasid));
    }
  }

  /** Lends the file. */
  Fd file() {
    return file.file();
  }

  /** What it is attached to. */
  Attachments attachments() {
    return attachments;
  }

  /** Called with the monitor of the iommufd held. */
  boolean isAttached(Predicate<PageTable> such) {
    return attachments.anyMatch(such);
  }

  /**
   * Returns the kernel's number of the page table in use: the one that the device is attached to,
   * or the one that the kernel has found or made for the address space by itself. Without such a
   * page table, as for a mediated device, it is the address space's.
   *
   * @return the object ID within its iommufd, or empty where the device is attached to nothing
   */
  public OptionalInt hwptId() {
    synchronized (iommufd) {
      return attachments.hwptId();
    }
  }

  /**
   * Asks what the IOMMU behind the device can do; {@code IOMMU_GET_HW_INFO}.
   *
   * @return the answer
   * @throws UnsupportedByKernelException if this kernel has no such question (Linux 6.6 was the
   *     first that had it)
   * @throws VfioException if the kernel refuses otherwise; ENOENT says that no IOMMU translates for
   *     the device, as for a mediated one
   */
  public HwInfo hwInfo() throws VfioException {
    return HwInfo.of(this);
  }

  /**
   * Attaches the device to an IO address space or a page table, or, where it is attached to
   * another, replaces that one in one step, so that the device never translates by anything else.
   *
   * <p>Whether DMA goes on during a replacement is up to the driver of the IOMMU. SMMUv3's changes
   * from one page table of a guest to another at once. Between others it blocks the device for a
   * moment, as VT-d's always does: DMA of that moment is lost, on Arm an interrupt's message, too.
   * Where VT-d's refuses the new one, the device stays blocked, though the kernel counts it as
   * attached to the old one, until it is {@linkplain #detach detached} and attached again.
   *
   * <p>Issues {@code VFIO_DEVICE_ATTACH_IOMMUFD_PT}. An address space's ranges may be narrower
   * afterwards.
   *
   * @param table the address space or page table, of the same iommufd
   * @throws IllegalArgumentException if it belongs to another iommufd
   * @throws IllegalStateException if it is closed
   * @throws IovaInUseException if something is mapped where the device has a reserved range
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning what is
   *     mapped there, which happens when the first device is attached
   * @throws VfioException if the kernel refuses; the device stays attached as it was then
   */
  public void attach(PageTable table) throws VfioException {
    synchronized (iommufd) {
      iommufd.requireUsable(table);
      attachments.attach(table);
    }
  }

  /**
   * Attaches one PASID of the device, or replaces what it is attached to, as {@link
   * #attach(PageTable)} does for requests without a PASID.
   *
   * <p>Issues {@code VFIO_DEVICE_ATTACH_IOMMUFD_PT}. Page tables for it are made with {@link
   * HwptFlag#PASID}, also the one that the device itself is attached to.
   *
   * @param table the address space or page table, of the same iommufd
   * @param pasid the PASID, above 0
   * @throws IllegalArgumentException if the table belongs to another iommufd, or the PASID is not
   *     positive or too large for the device
   * @throws UnsupportedByKernelException if the device or its IOMMU has no PASIDs, or this kernel
   *     cannot attach them (Linux 6.15 was the first)
   * @throws VfioException if the kernel refuses; the PASID stays attached as it was then
   */
  public void attach(PageTable table, int pasid) throws VfioException {
    synchronized (iommufd) {
      iommufd.requireUsable(table);
      requirePasid(pasid);
      attachments.attach(table, pasid);
    }
  }

  /** Refuses a PASID that the kernel would take, but the device can never send. */
  private void requirePasid(int pasid) throws VfioException {
    int bits = hwInfo().pasidBits();
    if (bits == 0) {
      throw new UnsupportedByKernelException(
          Ioctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT.name(),
          toString(),
          null,
          "the device or its IOMMU has no PASIDs");
    }
    if (pasid <= 0 || pasid >>> bits != 0) {
      throw new IllegalArgumentException(
          "PASIDs of %s are from 1 to %d, not %d".formatted(this, (1L << bits) - 1, pasid));
    }
  }

  /**
   * Detaches the device from its IO address space or page table; {@code
   * VFIO_DEVICE_DETACH_IOMMUFD_PT}. Its DMA is blocked from then on. Does nothing where it is not
   * attached.
   *
   * @throws VfioException if the kernel refuses
   */
  public void detach() throws VfioException {
    synchronized (iommufd) {
      attachments.detach();
    }
  }

  /**
   * Detaches a PASID of the device; {@code VFIO_DEVICE_DETACH_IOMMUFD_PT}. Does nothing where it is
   * not attached.
   *
   * @param pasid the PASID
   * @throws VfioException if the kernel refuses
   */
  public void detach(int pasid) throws VfioException {
    synchronized (iommufd) {
      attachments.detach(pasid);
    }
  }

  @Override
  public void close() throws VfioException {
    device.close();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return device.name();
  }
}
