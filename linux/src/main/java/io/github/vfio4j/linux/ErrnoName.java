package io.github.vfio4j.linux;

import java.util.HashMap;
import java.util.Map;

/** The kernel's names of its error numbers. */
public final class ErrnoName {
  private static final Map<Integer, String> NAMES = names();

  private ErrnoName() {}

  private static Map<Integer, String> names() {
    String[] firstPart =
        """
        EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT \
        ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG \
        ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS"""
            .split(" ", -1);
    Map<Integer, String> names = new HashMap<>();
    for (int i = 0; i < firstPart.length; i++) {
      names.put(i + 1, firstPart[i]);
    }
    names.put(42, "ENOMSG");
    names.put(61, "ENODATA");
    names.put(62, "ETIME");
    names.put(71, "EPROTO");
    names.put(75, "EOVERFLOW");
    names.put(77, "EBADFD");
    names.put(90, "EMSGSIZE");
    names.put(95, "EOPNOTSUPP");
    names.put(98, "EADDRINUSE");
    names.put(105, "ENOBUFS");
    names.put(110, "ETIMEDOUT");
    names.put(114, "EALREADY");
    names.put(133, "EHWPOISON");
    names.put(524, "ENOTSUPP");
    return Map.copyOf(names);
  }

  /**
   * Returns the name of a number.
   *
   * @param number positive, as {@code errno} holds it
   * @return for example {@code EBUSY}, or {@code errno 132} for a number without a name here
   */
  public static String of(int number) {
    return NAMES.getOrDefault(number, "errno " + number);
  }
}
