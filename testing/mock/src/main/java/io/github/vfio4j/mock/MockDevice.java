package io.github.vfio4j.mock;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_destroy;
import io.github.vfio4j.iommufd.BoundDevice;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.PageTable;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.TreeSet;

/**
 * A device behind the mock IOMMU. It is made attached to something, and is always attached: the
 * mock has no detaching, but of PASIDs.
 */
public final class MockDevice implements BoundDevice, AutoCloseable {
  /** A device like any other. */
  public static final int PLAIN = 0;

  /** A device behind an IOMMU that has no dirty bits. */
  public static final int NO_DIRTY = 1;

  /** A device that has PASIDs. */
  public static final int PASID = 1 << 2;

  /** How many bits a PASID of such a device has. */
  public static final int PASID_BITS = 20;

  /** A PASID with which every second attaching fails with ENOMEM. */
  public static final int PASID_OF_FAILURES = 1024;

  /** What each entry of a device's cache has at first. */
  public static final int CACHE_AT_FIRST = 0xbaddad;

  private static final String NAME = "mock device ";

  private final Mock mock;
  private final int device;
  private final int binding;
  private final Set<Integer> pasids = new TreeSet<>();
  private int table;
  private boolean closed;

  private MockDevice(Mock mock, int device, int binding, int table) {
    this.mock = mock;
    this.device = device;
    this.binding = binding;
    this.table = table;
  }

  /**
   * Makes a device without particulars, attached to something.
   *
   * @param mock where
   * @param table an address space or a page table
   * @return the device; the mock owns it
   * @throws VfioException if the kernel refuses
   */
  public static MockDevice attach(Mock mock, PageTable table) throws VfioException {
    return attach(mock, table, PLAIN);
  }

  /**
   * Makes a device attached to something.
   *
   * @param mock where
   * @param table an address space or a page table
   * @param flags {@link #NO_DIRTY} and {@link #PASID}, added
   * @return the device; the mock owns it
   * @throws VfioException if the kernel refuses
   */
  public static MockDevice attach(Mock mock, PageTable table, int flags) throws VfioException {
    MockDevice device = attach(mock, table.id(), flags);
    refresh(table);
    return device;
  }

  /**
   * Makes a device attached to a page table that the library does not know, such as the {@link
   * #table} that the kernel made for another device.
   *
   * @param mock where
   * @param table the kernel's number of the page table
   * @param flags as in {@link #attach(Mock, PageTable, int)}
   * @return the device; the mock owns it
   * @throws VfioException if the kernel refuses
   */
  public static MockDevice attach(Mock mock, int table, int flags) throws VfioException {
    MockCommand made =
        new MockCommand(MockOperation.MOCK_DOMAIN_FLAGS, table).with(12, flags).run(mock);
    MockDevice device = new MockDevice(mock, made.at(0), made.at(8), made.at(4));
    mock.own(device);
    return device;
  }

  /** Attaching narrows the ranges of an address space, which knows nothing of mock devices. */
  private static void refresh(PageTable table) throws VfioException {
    if (table instanceof Ioas ioas) {
      ioas.refreshRanges();
    } else if (table instanceof HwptPaging hwpt) {
      hwpt.ioas().refreshRanges();
    }
  }

  @Override
  public int id() {
    return binding;
  }

  @Override
  public Iommufd iommufd() {
    return mock.iommufd();
  }

  /**
   * Returns what the device is attached to.
   *
   * @return the number of a page table; the kernel has made it if it was attached to an address
   *     space
   */
  public int table() {
    return table;
  }

  /**
   * Returns whether the device sees memory of this process, attached to a page table that the
   * kernel fills.
   *
   * @param iova where it shall see it
   * @param memory the memory, whole pages
   * @return whether every page is where it shall be
   * @throws VfioException if the kernel refuses
   */
  public boolean sees(long iova, MemorySegment memory) throws VfioException {
    return mock.maps(table, iova, memory);
  }

  /**
   * Attaches the device to something else, in one step.
   *
   * @param next an address space or a page table
   * @throws VfioException if the kernel refuses; it is attached as before then
   */
  public void replace(PageTable next) throws VfioException {
    replace(next.id());
    refresh(next);
  }

  /**
   * Attaches the device to a page table that the library does not know.
   *
   * @param next the kernel's number of the page table
   * @throws VfioException if the kernel refuses; it is attached as before then
   */
  public void replace(int next) throws VfioException {
    table =
        new MockCommand(MockOperation.MOCK_DOMAIN_REPLACE, device).with(0, next).run(mock).at(0);
  }

  /**
   * Attaches a PASID of the device.
   *
   * @param pasid which
   * @param to an address space or a page table
   * @throws VfioException if the kernel refuses
   */
  public void attachPasid(int pasid, PageTable to) throws VfioException {
    new MockCommand(MockOperation.PASID_ATTACH, device).with(0, pasid).with(4, to.id()).run(mock);
    pasids.add(pasid);
  }

  /**
   * Attaches a PASID of the device to something else, in one step.
   *
   * @param pasid which; it is attached to something
   * @param next an address space or a page table
   * @throws VfioException if the kernel refuses; it is attached as before then
   */
  public void replacePasid(int pasid, PageTable next) throws VfioException {
    new MockCommand(MockOperation.PASID_REPLACE, device)
        .with(0, pasid)
        .with(4, next.id())
        .run(mock);
  }

  /**
   * Detaches a PASID of the device, if it is attached.
   *
   * @param pasid which
   * @throws VfioException if the kernel refuses
   */
  public void detachPasid(int pasid) throws VfioException {
    new MockCommand(MockOperation.PASID_DETACH, device).with(0, pasid).run(mock);
    pasids.remove(pasid);
  }

  /**
   * Returns whether a PASID of the device is attached to a page table.
   *
   * @param pasid which
   * @param to the page table
   * @return whether it is
   * @throws VfioException if the kernel refuses
   */
  public boolean isPasidAttached(int pasid, PageTable to) throws VfioException {
    return pasidHas(pasid, to.id());
  }

  /**
   * Returns whether a PASID of the device is attached to nothing.
   *
   * @param pasid which
   * @return whether it is
   * @throws VfioException if the kernel refuses
   */
  public boolean isPasidDetached(int pasid) throws VfioException {
    return pasidHas(pasid, 0);
  }

  private boolean pasidHas(int pasid, int to) throws VfioException {
    return new MockCommand(MockOperation.PASID_CHECK_HWPT, device)
        .with(0, pasid)
        .with(4, to)
        .holds(mock, Errno.EINVAL);
  }

  /**
   * Has the device ask for a page, the last one of its group.
   *
   * @param pasid in which of its address spaces, or 0 for the one without PASID
   * @param group the number of the group of requests
   * @param permissions what it wants: the kernel's {@code IOMMU_PGFAULT_PERM_} bits
   * @param address where
   * @throws VfioException if the kernel refuses
   */
  public void requestPage(int pasid, int group, int permissions, long address)
      throws VfioException {
    new MockCommand(MockOperation.TRIGGER_IOPF)
        .with(0, binding)
        .with(4, pasid)
        .with(8, group)
        .with(12, permissions)
        .with(16, address)
        .run(mock);
  }

  /**
   * Has the device's virtual IOMMU report an event, whose data is the device's virtual number.
   *
   * @throws VfioException if the kernel refuses, as it does where it has no virtual number
   */
  public void raiseEvent() throws VfioException {
    new MockCommand(MockOperation.TRIGGER_VEVENT).with(0, binding).run(mock);
  }

  /**
   * Returns whether an entry of the device's cache has a value.
   *
   * @param entry which entry, from 0 to 3
   * @param value the value; 0 stands for an entry that was invalidated
   * @return whether it has it
   * @throws VfioException if the kernel refuses
   */
  public boolean cached(int entry, int value) throws VfioException {
    return new MockCommand(MockOperation.DEV_CHECK_CACHE, binding)
        .with(0, entry)
        .with(4, value)
        .holds(mock, Errno.EINVAL);
  }

  /**
   * Detaches and removes the device. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses
   */
  @Override
  public void close() throws VfioException {
    if (closed) {
      return;
    }
    closed = true;
    mock.disown(this);
    for (int pasid : Set.copyOf(pasids)) {
      detachPasid(pasid);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(iommu_destroy.LAYOUT);
      iommu_destroy.size(request, (int) iommu_destroy.SIZEOF);
      iommu_destroy.id(request, device);
      int answer = Kernel.running().ioctl(mock.descriptor(), Ioctl.IOMMU_DESTROY.number(), request);
      if (answer < 0) {
        throw new VfioException(
            Ioctl.IOMMU_DESTROY.name(), toString(), new Errno(-answer), "it does not end");
      }
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return NAME + binding;
  }
}
