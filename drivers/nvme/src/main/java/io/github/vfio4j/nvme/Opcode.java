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

  private Opcode() {}
}
