package io.github.vfio4j.nvme;

/** The commands that this driver issues, by number. */
final class Opcode {
  static final int FLUSH = 0x00;
  static final int WRITE = 0x01;
  static final int READ = 0x02;
  static final int COMPARE = 0x05;
  static final int WRITE_ZEROES = 0x08;
  static final int DATASET_MANAGEMENT = 0x09;
  static final int VERIFY = 0x0c;
  static final int ZONE_MANAGEMENT_SEND = 0x79;
  static final int ZONE_MANAGEMENT_RECEIVE = 0x7a;
  static final int ZONE_APPEND = 0x7d;

  static final int DELETE_SUBMISSION_QUEUE = 0x00;
  static final int CREATE_SUBMISSION_QUEUE = 0x01;
  static final int GET_LOG_PAGE = 0x02;
  static final int DELETE_COMPLETION_QUEUE = 0x04;
  static final int CREATE_COMPLETION_QUEUE = 0x05;
  static final int IDENTIFY = 0x06;
  static final int ABORT = 0x08;
  static final int SET_FEATURES = 0x09;
  static final int GET_FEATURES = 0x0a;
  static final int ASYNCHRONOUS_EVENT_REQUEST = 0x0c;
  static final int NAMESPACE_MANAGEMENT = 0x0d;
  static final int NAMESPACE_ATTACHMENT = 0x15;
  static final int KEEP_ALIVE = 0x18;
  static final int DOORBELL_BUFFERS = 0x7c;
  static final int FORMAT = 0x80;

  private Opcode() {}

  /** Returns whether an admin command is about queues, and so the driver's alone. */
  static boolean isOfQueues(int opcode) {
    return switch (opcode) {
      case DELETE_SUBMISSION_QUEUE,
          CREATE_SUBMISSION_QUEUE,
          DELETE_COMPLETION_QUEUE,
          CREATE_COMPLETION_QUEUE,
          ASYNCHRONOUS_EVENT_REQUEST,
          DOORBELL_BUFFERS ->
          true;
      default -> false;
    };
  }
}
