package io.github.vfio4j.exec;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.ProcessCalls;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;

/** A process with the kernel's rules of who may become whom; it never becomes a program. */
final class FakeProcess implements ProcessCalls {
  private static final int SAME = -1;
  private static final int ROOT = 0;

  private int[] user;
  private int[] group;
  private List<Integer> groups = List.of(0, 4);
  private long[] lockedMemory = {100, 200};
  private boolean ambient = true;
  private boolean ignoresPipe = true;
  private final Set<Integer> inherited = new TreeSet<>();
  private Errno refusal = Errno.ENOENT;
  private int failing = -1;
  private int calls;

  /** What the program would have been started as. */
  private String started = "never";

  FakeProcess(int real, int effective, int saved) {
    user = new int[] {real, effective, saved};
    group = user.clone();
  }

  /** Refuses to start a program for this reason. */
  void refuse(Errno errno) {
    refusal = errno;
  }

  /** Makes the n-th call that changes something fail, counted from 1. */
  void failCall(int n) {
    failing = n;
    calls = 0;
  }

  boolean hasFailed() {
    return calls >= failing;
  }

  String started() {
    return started;
  }

  /** Tells what a program would inherit. */
  String state() {
    return "user %s, group %s, groups %s, memory %s, %s pipes, files %s"
        .formatted(
            Arrays.toString(user),
            Arrays.toString(group),
            groups,
            Arrays.toString(lockedMemory),
            ignoresPipe ? "ignores" : "ends by",
            inherited);
  }

  private int change(IntSupplier call) {
    return ++calls == failing ? -Errno.EIO.number() : call.getAsInt();
  }

  private boolean isRoot() {
    return user[1] == ROOT;
  }

  private int asRoot(Runnable call) {
    if (!isRoot()) {
      return -Errno.EPERM.number();
    }
    call.run();
    return 0;
  }

  @Override
  public int setCloseOnExec(int fd, boolean closed) {
    if (!closed) {
      return change(
          () -> {
            inherited.add(fd);
            return 0;
          });
    }
    inherited.remove(fd);
    return 0;
  }

  @Override
  public int setrlimit(int resource, MemorySegment limit, MemorySegment former) {
    return change(
        () -> {
          if (!isRoot() && limit.getAtIndex(JAVA_LONG, 1) > lockedMemory[1]) {
            return -Errno.EPERM.number();
          }
          if (!former.equals(MemorySegment.NULL)) {
            former.copyFrom(MemorySegment.ofArray(lockedMemory));
          }
          lockedMemory = limit.toArray(JAVA_LONG);
          return 0;
        });
  }

  @Override
  public int getGroups(MemorySegment array, int count) {
    IntStream.range(0, count).forEach(i -> array.setAtIndex(JAVA_INT, i, groups.get(i)));
    return groups.size();
  }

  @Override
  public int setGroups(MemorySegment array, int count) {
    List<Integer> wanted = new ArrayList<>();
    IntStream.range(0, count).forEach(i -> wanted.add(array.getAtIndex(JAVA_INT, i)));
    return change(() -> asRoot(() -> groups = wanted));
  }

  @Override
  public int getGroup(MemorySegment ids) {
    ids.copyFrom(MemorySegment.ofArray(group));
    return 0;
  }

  @Override
  public int setGroup(int real, int effective, int saved) {
    return change(() -> set(group, real, effective, saved));
  }

  @Override
  public int getUser(MemorySegment ids) {
    ids.copyFrom(MemorySegment.ofArray(user));
    return 0;
  }

  @Override
  public int setUser(int real, int effective, int saved) {
    return change(() -> set(user, real, effective, saved));
  }

  /** Who is not root may only choose among those that it is already. */
  private int set(int[] ids, int... wanted) {
    boolean allowed =
        Arrays.stream(wanted)
            .allMatch(id -> id == SAME || Arrays.stream(ids).anyMatch(each -> each == id));
    if (!isRoot() && !allowed) {
      return -Errno.EPERM.number();
    }
    for (int i = 0; i < wanted.length; i++) {
      ids[i] = wanted[i] == SAME ? ids[i] : wanted[i];
    }
    return 0;
  }

  @Override
  public int clearAmbientCapabilities() {
    return change(
        () -> {
          ambient = false;
          return 0;
        });
  }

  @Override
  public int unblockSignals() {
    return 0;
  }

  @Override
  public int setSignalAction(int signal, MemorySegment action, MemorySegment former) {
    boolean ends = Arrays.stream(action.toArray(JAVA_LONG)).allMatch(each -> each == 0);
    if (ends) {
      former.setAtIndex(JAVA_LONG, 0, 1);
    }
    ignoresPipe = !ends;
    return 0;
  }

  @Override
  public int execute(MemorySegment file, MemorySegment arguments) {
    // the kernel copies the saved ones from the effective ones
    started = state() + (ambient ? ", ambient capabilities" : "");
    return -refusal.number();
  }
}
