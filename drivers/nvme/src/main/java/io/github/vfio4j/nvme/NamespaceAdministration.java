package io.github.vfio4j.nvme;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.AdminQueue.Command;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Formatting, creating and deleting namespaces, where the controller can: what destroys all that is
 * on them. Nobody is asked first.
 *
 * <p>A {@link Namespace} that was read before says what it was then: ask the controller for it
 * again. Methods may be called from any thread. Where the controller says that it does not have a
 * command, they throw {@link VfioException} and have done nothing; where it refuses, {@link
 * NvmeException}.
 */
public final class NamespaceAdministration {
  /** All namespaces of the controller. */
  public static final int ALL = -1;

  private static final int NAMESPACE = 0x00;
  private static final int ALLOCATED_NAMESPACES = 0x10;
  private static final int CREATE = 0;
  private static final int DELETE = 1;
  private static final int ATTACH = 0;
  private static final int DETACH = 1;
  private static final int FORMATS = 128;
  private static final int MOST_FORMATS = 64;
  private static final int SIZE_OF_BLOCKS = 26;

  /** What formatting does with what is on the medium. */
  public enum Erase {
    /** What the controller likes; it may be readable still. */
    NOTHING(0),

    /** All that users have written is gone. */
    USER_DATA(1),

    /** The key by which it was encrypted is gone. */
    KEY(2);

    private final int bits;

    Erase(int bits) {
      this.bits = bits;
    }
  }

  private final NvmeController controller;

  NamespaceAdministration(NvmeController controller) {
    this.controller = controller;
  }

  /**
   * Returns the formats that a namespace can have.
   *
   * @param namespace its number, or {@link #ALL} for one that is to be created
   * @return the formats; those whose blocks are too small or large to be blocks have size 0
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public List<BlockFormat> formats(int namespace) throws VfioException {
    byte[] answer =
        controller
            .admins()
            .ask(new Command("Identify Namespace", Opcode.IDENTIFY, namespace, NAMESPACE, 0));
    Fields fields = new Fields(answer);
    int count = Math.min(MOST_FORMATS, fields.byteAt(25) + 1);
    List<BlockFormat> formats = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      formats.add(BlockFormat.parse(i, fields.intAt(FORMATS + i * Integer.BYTES)));
    }
    return formats;
  }

  /**
   * Formats a namespace: all that is on it is lost.
   *
   * @param namespace its number; or {@link #ALL}, which a controller that cannot format one alone
   *     wants to be said
   * @param format its new format, one of {@link #formats}
   * @param erase what becomes of what is on the medium
   * @param timeout how long it may take: minutes, where all is overwritten
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not have this command, would format the others as well, or
   *     does not answer in time
   */
  public void format(int namespace, BlockFormat format, Erase erase, Duration timeout)
      throws VfioException {
    String operation = "Format NVM";
    controller.abilities().require(AdminAbilities.FORMAT, operation, "the command Format NVM");
    if (controller.abilities().formatsAll() && namespace != ALL) {
      throw new VfioException(
          operation,
          controller.toString(),
          null,
          "the controller would format all of its namespaces, and not only " + namespace);
    }
    int _ =
        controller
            .admins()
            .tell(
                new Command(
                    operation, Opcode.FORMAT, namespace, format.asFormat() | erase.bits << 9, 0),
                timeout);
  }

  /**
   * Returns which namespaces there are, whether or not they are attached to this controller.
   *
   * @return their numbers
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not have the commands for namespaces, or does not answer
   */
  public List<Integer> allocated() throws VfioException {
    requireNamespaces("Identify Allocated Namespaces");
    return controller.namespaceIds("Identify Allocated Namespaces", ALLOCATED_NAMESPACES);
  }

  /**
   * Creates a namespace, which is attached to no controller yet.
   *
   * @param blocks how many blocks it has
   * @param format its format, one of {@link #formats}
   * @return its number
   * @throws IllegalArgumentException if it is to have no blocks
   * @throws NvmeException if the controller refuses, for example for want of capacity
   * @throws VfioException if it does not have this command, or does not answer
   */
  public int create(long blocks, BlockFormat format) throws VfioException {
    if (blocks <= 0) {
      throw new IllegalArgumentException(blocks + " blocks are no namespace");
    }
    requireNamespaces("Namespace Management: create");
    byte[] description = new byte[Rings.PAGE];
    ByteBuffer.wrap(description)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(0, blocks)
        .putLong(Long.BYTES, blocks)
        .put(SIZE_OF_BLOCKS, (byte) format.asSize());
    return controller
        .admins()
        .hand(
            new Command("Namespace Management: create", Opcode.NAMESPACE_MANAGEMENT, 0, CREATE, 0),
            description);
  }

  /**
   * Deletes a namespace: all that is on it is lost.
   *
   * @param namespace its number, or {@link #ALL}
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not have this command, or does not answer
   */
  public void delete(int namespace) throws VfioException {
    String operation = "Namespace Management: delete";
    requireNamespaces(operation);
    int _ =
        controller
            .admins()
            .tell(new Command(operation, Opcode.NAMESPACE_MANAGEMENT, namespace, DELETE, 0));
  }

  /**
   * Attaches a namespace to this controller, which can use it then.
   *
   * @param namespace its number
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not have this command, or does not answer
   */
  public void attach(int namespace) throws VfioException {
    attachment("Namespace Attachment: attach", namespace, ATTACH);
  }

  /**
   * Detaches a namespace from this controller; what is on it stays.
   *
   * @param namespace its number
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not have this command, or does not answer
   */
  public void detach(int namespace) throws VfioException {
    attachment("Namespace Attachment: detach", namespace, DETACH);
  }

  private void attachment(String operation, int namespace, int what) throws VfioException {
    requireNamespaces(operation);
    byte[] controllers = new byte[Rings.PAGE];
    ByteBuffer.wrap(controllers)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort(0, (short) 1)
        .putShort(Short.BYTES, (short) controller.abilities().id());
    int _ =
        controller
            .admins()
            .hand(
                new Command(operation, Opcode.NAMESPACE_ATTACHMENT, namespace, what, 0),
                controllers);
  }

  private void requireNamespaces(String operation) throws VfioException {
    controller
        .abilities()
        .require(AdminAbilities.NAMESPACES, operation, "the commands that manage namespaces");
  }
}
