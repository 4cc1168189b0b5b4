package io.github.vfio4j.exec;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.ProcessCalls;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * This process running as another user until it has become a program.
 *
 * <p>The saved user stays who it is, so that there is a way back where the program does not start.
 * The program has none: when a process becomes one, the kernel copies the saved user and group from
 * the effective ones, and takes away what capabilities the user does not have. The ambient ones
 * alone it would keep while somebody is root, so they are taken first.
 */
final class IdentityChange {
  private static final int SAME = -1;
  private static final String MEANING = "only root may run a program as another user";

  private final ProcessCalls process;
  private final Arena arena;
  private final Identity identity;
  private final String who;

  IdentityChange(ProcessCalls process, Arena arena, Identity identity) {
    this.process = process;
    this.arena = arena;
    this.identity = identity;
    this.who = "user " + identity.user();
  }

  private record Ids(int real, int effective, int saved) {
    static Ids of(MemorySegment ids) {
      return new Ids(
          ids.getAtIndex(JAVA_INT, 0), ids.getAtIndex(JAVA_INT, 1), ids.getAtIndex(JAVA_INT, 2));
    }
  }

  /** The groups come before the user, who may not change them. */
  void make(Rollback rollback) throws VfioException {
    MemorySegment three = arena.allocate(JAVA_INT, 3);
    Answer.require("getresuid", who, process.getUser(three), "");
    Ids user = Ids.of(three);
    Answer.require("getresgid", who, process.getGroup(three), "");
    Ids group = Ids.of(three);
    int count = Math.toIntExact(count(MemorySegment.NULL, 0));
    MemorySegment groups = arena.allocate(JAVA_INT, Math.max(1, count));
    int present = Math.toIntExact(count(groups, count));

    setGroups(wanted(), identity.groups().size());
    rollback.add(() -> setGroups(groups, present));
    setGroup(identity.group(), identity.group(), SAME);
    rollback.add(() -> setGroup(group.real, group.effective, group.saved));
    int answer = process.clearAmbientCapabilities();
    if (!Answer.is(answer, Errno.EINVAL)) { // kernels before Linux 4.3 have none
      Answer.require("prctl", who, answer, "");
    }
    setUser(identity.user(), identity.user(), user.effective);
    rollback.add(() -> comeBack(user));
  }

  private long count(MemorySegment groups, int room) throws VfioException {
    return Answer.require("getgroups", who, process.getGroups(groups, room), "");
  }

  private MemorySegment wanted() {
    MemorySegment groups = arena.allocate(JAVA_INT, Math.max(1, identity.groups().size()));
    for (int i = 0; i < identity.groups().size(); i++) {
      groups.setAtIndex(JAVA_INT, i, identity.groups().get(i));
    }
    return groups;
  }

  private void setGroups(MemorySegment groups, int count) throws VfioException {
    Answer.require("setgroups", who, process.setGroups(groups, count), MEANING);
  }

  private void setGroup(int real, int effective, int saved) throws VfioException {
    Answer.require("setresgid", who, process.setGroup(real, effective, saved), MEANING);
  }

  private void setUser(int real, int effective, int saved) throws VfioException {
    Answer.require("setresuid", who, process.setUser(real, effective, saved), MEANING);
  }

  /** Who is root again may be whoever it was. */
  private void comeBack(Ids user) throws VfioException {
    setUser(SAME, user.effective, SAME);
    setUser(user.real, user.effective, user.saved);
  }
}
