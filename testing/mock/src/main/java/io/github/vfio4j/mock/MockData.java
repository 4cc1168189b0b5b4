package io.github.vfio4j.mock;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.github.vfio4j.iommufd.InvalidationBatch;
import io.github.vfio4j.iommufd.RawHwptData;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** The types and structures of the mock IOMMU that go through the library's own calls. */
public final class MockData {
  /** The type of the mock's description. */
  public static final int HW_INFO = 0xfeedbeef;

  /** The register in the mock's description. */
  public static final int HW_INFO_REGISTER = 0xdeadbeef;

  /** The type of data of a page table. */
  public static final int HWPT = 0xdead;

  /** The type of a virtual IOMMU. */
  public static final int VIOMMU = 0xdeadbeef;

  /** The type of a virtual IOMMU's events. */
  public static final int EVENTS = 0xbeefbeef;

  /** The bytes of one event: the virtual number of the device. */
  public static final int EVENT_SIZE = 4;

  /** The type of a queue of the hardware. */
  public static final int HW_QUEUE = 0xdeadbeef;

  /** How many queues of the hardware a virtual IOMMU has. */
  public static final int HW_QUEUES = 2;

  /** The type of an invalidation, of a nested page table and of a virtual IOMMU. */
  public static final int INVALIDATION = 0xdeadbeef;

  /** The flag of an invalidation of everything. */
  public static final int ALL = 1;

  private static final int HWPT_ENTRY = 8;
  private static final int VIOMMU_ENTRY = 12;

  private MockData() {}

  /**
   * Makes the data of a nested page table.
   *
   * @param cached what each entry of its cache has at first
   * @return the data
   */
  public static RawHwptData nested(int cached) {
    return new RawHwptData(HWPT, words(cached, 0));
  }

  /**
   * Makes the data of a virtual IOMMU with a page to map.
   *
   * @param word what the page begins with
   * @return the structure, with room for the kernel's answer
   */
  public static byte[] viommu(int word) {
    return words(word, 0, 0, 0, 0, 0);
  }

  /**
   * Makes a batch of invalidations of a nested page table.
   *
   * @param flagsAndEntries pairs of flags and an entry
   * @return the full batch
   */
  public static InvalidationBatch ofNested(int... flagsAndEntries) {
    return batch(HWPT_ENTRY, flagsAndEntries);
  }

  /**
   * Makes a batch of invalidations of devices.
   *
   * @param flagsDevicesAndEntries triples of flags, a device's virtual number and an entry
   * @return the full batch
   */
  public static InvalidationBatch ofDevices(int... flagsDevicesAndEntries) {
    return batch(VIOMMU_ENTRY, flagsDevicesAndEntries);
  }

  private static InvalidationBatch batch(int entrySize, int... words) {
    InvalidationBatch batch =
        InvalidationBatch.raw(
            INVALIDATION, entrySize, Math.max(1, words.length * Integer.BYTES / entrySize));
    MemorySegment entries = MemorySegment.ofArray(words(words));
    for (long at = 0; at < entries.byteSize(); at += entrySize) {
      batch.add(entries.asSlice(at, entrySize));
    }
    return batch;
  }

  private static byte[] words(int... words) {
    ByteBuffer bytes = ByteBuffer.allocate(words.length * Integer.BYTES).order(LITTLE_ENDIAN);
    bytes.asIntBuffer().put(words);
    return bytes.array();
  }
}
