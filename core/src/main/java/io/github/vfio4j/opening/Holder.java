package io.github.vfio4j.opening;

/** Who has a device open, in words for those who want it. */
final class Holder {
  private static final String OURSELVES = "process " + ProcessHandle.current().pid() + " ";

  private Holder() {}

  /** Tells a forgotten close in this process from another process. */
  static String words(String holder) {
    return holder.startsWith(OURSELVES) ? "this process, which has not closed it" : holder;
  }
}
