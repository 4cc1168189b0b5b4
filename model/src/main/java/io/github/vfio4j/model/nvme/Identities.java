package io.github.vfio4j.model.nvme;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.github.vfio4j.model.nvme.Stores.Store;
import java.nio.ByteBuffer;
import java.util.UUID;

/** What a controller is, and says of itself and its namespaces. */
final class Identities {
  static final int CONTROLLER_ID = 1;
  static final int NAMESPACE_NOTICE = 1 << 8;

  /** The number of the combination of command sets that has zones. */
  static final int WITH_ZONES = 1;

  /** The most that one command appends to a zone, as a power of two of pages. */
  static final int APPEND_PAGES_SHIFT = 4;

  private static final int INVALID_FIELD = 0x002;
  private static final int PAGE = 4096;
  private static final int ZONED_COMMANDS = 2;
  private static final int ZONE_FORMATS = 2816;

  private static final int UUID_DESCRIPTOR = 3;
  private static final int UUID_BYTES = 16;
  private static final int COMMAND_SET_DESCRIPTOR = 4;

  /** No other controller has it, nor any of its namespaces. */
  private final UUID own = UUID.randomUUID();

  private final Stores stores;
  private final DataPointers data;
  private boolean hasAdministration = true;
  private boolean hasDoorbellBuffers;
  private int maximumTransfer = NvmeModel.MAXIMUM_TRANSFER;

  Identities(Stores stores, DataPointers data) {
    this.stores = stores;
    this.data = data;
  }

  void withoutAdministration() {
    hasAdministration = false;
  }

  boolean hasAdministration() {
    return hasAdministration;
  }

  void withDoorbellBuffers() {
    hasDoorbellBuffers = true;
  }

  boolean hasDoorbellBuffers() {
    return hasDoorbellBuffers;
  }

  void setMaximumTransfer(int bytes) {
    maximumTransfer = bytes;
  }

  int maximumTransfer() {
    return maximumTransfer;
  }

  /** Fills an answer to Identify, and returns its status. */
  int identify(int id, int what, int commandSet, ByteBuffer answer) {
    switch (what) {
      case 0 -> {
        Store store = stores.attached(id).orElse(null);
        if (store == null && (id != -1 || !hasAdministration)) {
          return Stores.INVALID_NAMESPACE;
        }
        if (store != null) {
          answer.putLong(0, store.blocks());
          answer.putLong(8, store.blocks());
          answer.putLong(16, store.blocks());
          answer.put(26, (byte) store.format());
        }
        answer.put(25, (byte) (Stores.FORMATS - 1));
        for (int format = 0; format < Stores.FORMATS; format++) {
          answer.putInt(128 + format * Integer.BYTES, Stores.descriptor(format));
        }
      }
      case 1 -> {
        answer.putShort(0, (short) 0x1b36);
        answer.put(4, text("model", 20));
        answer.put(24, text("vfio4j NVMe model", 40));
        answer.put(64, text("1.0", 8));
        answer.put(77, (byte) Integer.numberOfTrailingZeros(maximumTransfer / PAGE));
        answer.putShort(78, (short) CONTROLLER_ID);
        answer.putInt(92, NAMESPACE_NOTICE);
        answer.putShort(256, (short) optionalCommands());
        answer.putShort(320, (short) (hasAdministration ? 1 : 0));
        answer.put(259, (byte) (EventRequests.MOST - 1));
        answer.put(261, (byte) (1 << 2));
        answer.put(262, (byte) (LogStore.MOST_ERRORS - 1));
        answer.put(512, (byte) 0x66);
        answer.put(513, (byte) 0x44);
        answer.putInt(516, Stores.MOST);
        answer.putShort(520, (short) (1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 7));
        answer.put(525, (byte) 1);
        answer.putInt(536, data.support());
        answer.put(768, ("nqn.2014-08.org.nvmexpress:uuid:" + own).getBytes(US_ASCII));
      }
      case 2 -> {
        stores.attached().stream().filter(it -> it > id).forEach(answer::putInt);
      }
      case 3 -> {
        Store store = stores.attached(id).orElse(null);
        if (store == null) {
          return Stores.INVALID_NAMESPACE;
        }
        describe(id, store, answer);
      }
      case 0x05, 0x06, 0x07 -> {
        return ofCommandSet(id, what, commandSet, answer);
      }
      case 0x1c -> {
        if (!stores.haveZones()) {
          return INVALID_FIELD;
        }
        answer.putLong(0, 1);
        answer.putLong(Long.BYTES * WITH_ZONES, 1 | 1 << ZONED_COMMANDS);
      }
      case 0x10 -> {
        if (!hasAdministration) {
          return INVALID_FIELD;
        }
        stores.allocated().stream().filter(it -> it > id).forEach(answer::putInt);
      }
      default -> {
        return INVALID_FIELD;
      }
    }
    return 0;
  }

  /** Says how to tell a namespace from all others, and which commands it takes. */
  private void describe(int id, Store store, ByteBuffer answer) {
    answer.put((byte) UUID_DESCRIPTOR).put((byte) UUID_BYTES).putShort((short) 0);
    ByteBuffer unique = answer.slice(answer.position(), UUID_BYTES); // its bytes as they are read
    unique.putLong(own.getMostSignificantBits());
    unique.putLong(own.getLeastSignificantBits() ^ id);
    answer.position(answer.position() + UUID_BYTES);
    answer.put((byte) COMMAND_SET_DESCRIPTOR).put((byte) 1).putShort((short) 0);
    answer.put((byte) (store.zones() == null ? 0 : ZONED_COMMANDS));
  }

  /** Says what belongs to one set of commands. */
  private int ofCommandSet(int id, int what, int commandSet, ByteBuffer answer) {
    if (!stores.haveZones() || (commandSet != 0 && commandSet != ZONED_COMMANDS)) {
      return INVALID_FIELD;
    }
    boolean zoned = commandSet == ZONED_COMMANDS;
    Store store = stores.attached(id).orElse(null);
    switch (what) {
      case 0x05 -> {
        if (store == null) {
          return Stores.INVALID_NAMESPACE;
        }
        ZoneStates zones = store.zones();
        if (zones == null || !zoned) {
          return INVALID_FIELD;
        }
        answer.putShort(2, (short) 1);
        answer.putInt(4, zones.mostActive() - 1);
        answer.putInt(8, zones.mostOpen() - 1);
        answer.putLong(ZONE_FORMATS + 16 * store.format(), zones.size());
      }
      case 0x06 -> answer.put(0, (byte) (zoned ? APPEND_PAGES_SHIFT : 0));
      default -> stores.attached(zoned).stream().filter(it -> it > id).forEach(answer::putInt);
    }
    return 0;
  }

  private int optionalCommands() {
    return (hasAdministration ? 1 << 1 | 1 << 3 : 0) | (hasDoorbellBuffers ? 1 << 8 : 0);
  }

  private static byte[] text(String text, int length) {
    return " ".repeat(length).replaceFirst("^ {" + text.length() + "}", text).getBytes(US_ASCII);
  }
}
