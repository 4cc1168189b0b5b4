package io.github.vfio4j.nvme;

/**
 * What a controller says of itself.
 *
 * @param vendorId the PCI vendor
 * @param serialNumber of this one
 * @param model of all of its kind
 * @param firmware the revision that runs
 * @param maximumTransfer the most bytes that one command moves
 * @param namespaces the highest number that a namespace can have
 * @param hasCompare whether it has the command Compare
 * @param hasDeallocate whether it has the command Dataset Management
 * @param hasWriteZeroes whether it has the command Write Zeroes
 * @param hasVerify whether it has the command Verify
 * @param hasVolatileCache whether what is written may be lost before a flush
 * @param hasDescriptors whether one descriptor names the data of a command (SGL), in place of a
 *     list of its pages
 * @param dataAlignment what the IOVA of blocks that are read, written or compared is a multiple of:
 *     1 byte where the controller's descriptors allow that, else 4
 */
public record ControllerIdentity(
    int vendorId,
    String serialNumber,
    String model,
    String firmware,
    long maximumTransfer,
    int namespaces,
    boolean hasCompare,
    boolean hasDeallocate,
    boolean hasWriteZeroes,
    boolean hasVerify,
    boolean hasVolatileCache,
    boolean hasDescriptors,
    int dataAlignment) {
  private static final int WITHOUT_ALIGNMENT = 1;
  private static final int OF_WORDS = 2;

  /** Takes apart the answer to Identify Controller. */
  static ControllerIdentity parse(byte[] answer, int smallestPageShift) {
    Fields fields = new Fields(answer);
    int shift = fields.byteAt(77);
    long most =
        shift == 0 || shift + smallestPageShift >= Integer.SIZE - 1
            ? Rings.MOST_BYTES
            : Math.min(Rings.MOST_BYTES, 1L << (shift + smallestPageShift));
    int commands = fields.shortAt(520);
    int descriptors = fields.intAt(536) & 3;
    return new ControllerIdentity(
        fields.shortAt(0),
        fields.textAt(4, 20),
        fields.textAt(24, 40),
        fields.textAt(64, 8),
        most,
        fields.intAt(516),
        (commands & 1) != 0,
        (commands & 1 << 2) != 0,
        (commands & 1 << 3) != 0,
        (commands & 1 << 7) != 0,
        (fields.byteAt(525) & 1) != 0,
        descriptors == WITHOUT_ALIGNMENT || descriptors == OF_WORDS,
        descriptors == WITHOUT_ALIGNMENT ? 1 : Integer.BYTES);
  }
}
