package io.github.vfio4j.vmm.x86;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.github.vfio4j.vmm.board.Board.MemoryRange;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What is near to what (ACPI's SRAT): processors and memory are in the first node, and each device
 * with memory of its own initiates accesses from nodes of its own. Linux puts that memory there.
 */
final class Affinity {
  private static final int HEADER = 12;
  private static final int PROCESSOR = 0;
  private static final int PROCESSOR_SIZE = 16;
  private static final int MEMORY = 1;
  private static final int MEMORY_SIZE = 40;
  private static final int INITIATOR = 5;
  private static final int INITIATOR_SIZE = 32;
  private static final int PCI = 1;
  private static final int ENABLED = 1;

  private Affinity() {}

  /**
   * Returns the body of the table.
   *
   * @param slots that of the device of each node, from the second node on
   */
  static byte[] body(int processors, List<MemoryRange> memory, List<Integer> slots) {
    ByteBuffer body =
        ByteBuffer.allocate(
                HEADER
                    + processors * PROCESSOR_SIZE
                    + memory.size() * MEMORY_SIZE
                    + slots.size() * INITIATOR_SIZE)
            .order(LITTLE_ENDIAN);
    body.putInt(1).putLong(0);
    for (int i = 0; i < processors; i++) {
      int end = begin(body, PROCESSOR, PROCESSOR_SIZE);
      body.put((byte) 0).put((byte) i).putInt(ENABLED).position(end);
    }
    for (MemoryRange range : memory) {
      int end = begin(body, MEMORY, MEMORY_SIZE);
      body.putInt(0).putShort((short) 0).putLong(range.address()).putLong(range.size()).putInt(0);
      body.putInt(ENABLED).position(end);
    }
    for (int node = 1; node <= slots.size(); node++) {
      int end = begin(body, INITIATOR, INITIATOR_SIZE);
      body.put((byte) 0).put((byte) PCI).putInt(node);
      body.putShort((short) 0).putShort((short) (slots.get(node - 1) << 3));
      body.position(end - 2 * Integer.BYTES).putInt(ENABLED).position(end);
    }
    return body.array();
  }

  private static int begin(ByteBuffer body, int type, int size) {
    int end = body.position() + size;
    body.put((byte) type).put((byte) size);
    return end;
  }
}
