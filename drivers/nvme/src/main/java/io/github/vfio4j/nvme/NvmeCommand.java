package io.github.vfio4j.nvme;

/**
 * A command put together by hand, for what this driver has no method for: a vendor's own, or a new
 * one.
 *
 * <p>Nothing of it is checked but what would take this driver's queues from under it. A wrong one
 * can destroy what is on the medium, or the controller; what memory it reaches is only what is
 * mapped for the device.
 *
 * @param opcode its number, from 0 to 255
 * @param namespace which one it is for, 0 for none, -1 for all
 * @param word10 what the command says it is
 * @param word11 what the command says it is
 * @param word12 what the command says it is
 * @param word13 what the command says it is
 * @param word14 what the command says it is
 * @param word15 what the command says it is
 */
public record NvmeCommand(
    int opcode,
    int namespace,
    int word10,
    int word11,
    int word12,
    int word13,
    int word14,
    int word15) {

  /**
   * Checks the number.
   *
   * @throws IllegalArgumentException if the opcode is not from 0 to 255
   */
  public NvmeCommand {
    if (opcode < 0 || opcode > 0xff) {
      throw new IllegalArgumentException("an opcode is from 0 to 255, not " + opcode);
    }
  }

  /**
   * Begins a command.
   *
   * @param opcode its number
   * @param namespace which one it is for, 0 for none, -1 for all
   * @return the command, with all words 0
   * @throws IllegalArgumentException if the opcode is not from 0 to 255
   */
  public static NvmeCommand of(int opcode, int namespace) {
    return new NvmeCommand(opcode, namespace, 0, 0, 0, 0, 0, 0);
  }

  /**
   * Returns the same command with another word.
   *
   * @param number which word, from 10 to 15
   * @param value what it is to be
   * @return the command
   * @throws IllegalArgumentException if there is no such word
   */
  public NvmeCommand withWord(int number, int value) {
    if (number < 10 || number > 15) {
      throw new IllegalArgumentException("words are from 10 to 15, not " + number);
    }
    return new NvmeCommand(
        opcode,
        namespace,
        number == 10 ? value : word10,
        number == 11 ? value : word11,
        number == 12 ? value : word12,
        number == 13 ? value : word13,
        number == 14 ? value : word14,
        number == 15 ? value : word15);
  }

  /** Returns it as the queue of admin commands takes it, unless it is one of the driver's own. */
  AdminQueue.Command asAdmin() {
    if (Opcode.isOfQueues(opcode) || isOfQueueCount()) {
      throw new IllegalArgumentException(
          "admin command 0x%02x is for the driver's queues, and not to be given by hand"
              .formatted(opcode));
    }
    return new AdminQueue.Command(
        toString(), opcode, namespace, word10, word11, word12, word13, word14, word15);
  }

  private boolean isOfQueueCount() {
    return opcode == Opcode.SET_FEATURES && (word10 & 0xff) == Features.NUMBER_OF_QUEUES;
  }

  /** Returns its number. */
  @Override
  public String toString() {
    return "command 0x%02x".formatted(opcode);
  }
}
