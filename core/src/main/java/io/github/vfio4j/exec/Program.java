package io.github.vfio4j.exec;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.ProcessCalls;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** A program that this process is about to become, with its arguments. */
public final class Program {
  private static final int RLIMIT_MEMLOCK = 8;
  private static final int SIGPIPE = 13;
  private static final long SIGACTION_SIZE = 152;
  private static final Path OWN_FILES = Path.of("/proc/self/fd");

  private final List<String> command;

  /**
   * Makes one.
   *
   * @param command its name, which is looked for in the PATH unless it has a slash, and arguments
   */
  public Program(List<String> command) {
    this.command = List.copyOf(command);
  }

  /**
   * Refuses a program that is not there, before anything is done for it.
   *
   * @param path the directories to look in, separated by colons
   * @throws VfioException if there is none
   */
  public void requireThere(String path) throws VfioException {
    String name = command.getFirst();
    boolean there =
        name.contains("/")
            ? isProgram(Path.of(name))
            : Arrays.stream(path.split(":")).anyMatch(each -> isProgram(Path.of(each, name)));
    if (!there) {
      throw new VfioException(
          "exec",
          name,
          null,
          name.contains("/")
              ? "there is no such program"
              : "there is no such program in the PATH, " + path);
    }
  }

  private static boolean isProgram(Path path) {
    return Files.isExecutable(path) && !Files.isDirectory(path);
  }

  /**
   * Becomes the program, in this process: its number stays, all of this virtual machine ends. It
   * comes back only with an exception, and as whom it was before: user, groups and limit of locked
   * memory are what they were, so that what was done for the program can be undone. Java ignores
   * SIGPIPE, the program does not.
   *
   * @param inherited the numbers of the files that the program gets, besides those that this
   *     process has been given itself
   * @param identity whom it runs as, or empty as this process does
   * @param lockedMemory how many bytes it may lock, {@link Long#MAX_VALUE} for all, or empty for
   *     what this process may
   * @throws VfioException why the program was not started, or what comes before that was refused;
   *     what could not be put back is attached
   */
  public void become(
      List<Integer> inherited, Optional<Identity> identity, OptionalLong lockedMemory)
      throws VfioException {
    become(RunningKernel.get().process(), inherited, identity, lockedMemory);
  }

  void become(
      ProcessCalls process,
      List<Integer> inherited,
      Optional<Identity> identity,
      OptionalLong lockedMemory)
      throws VfioException {
    String name = command.getFirst();
    try (Arena arena = Arena.ofConfined();
        Rollback rollback = new Rollback()) {
      MemorySegment arguments = arena.allocate(ADDRESS, command.size() + 1L);
      for (int i = 0; i < command.size(); i++) {
        arguments.setAtIndex(ADDRESS, i, arena.allocateFrom(command.get(i)));
      }
      keepOwnFilesBack(process);
      for (int fd : inherited) {
        closeOnExec(process, fd, false);
        rollback.add(() -> closeOnExec(process, fd, true));
      }
      if (lockedMemory.isPresent()) {
        limit(arena, process, lockedMemory.getAsLong(), rollback);
      }
      if (identity.isPresent()) {
        new IdentityChange(process, arena, identity.get()).make(rollback);
      }
      Answer.require("sigprocmask", name, process.unblockSignals(), "");
      MemorySegment former = arena.allocate(SIGACTION_SIZE, Long.BYTES);
      MemorySegment byDefault = arena.allocate(SIGACTION_SIZE, Long.BYTES);
      Answer.require("sigaction", name, process.setSignalAction(SIGPIPE, byDefault, former), "");
      rollback.add(
          () ->
              Answer.require(
                  "sigaction",
                  name,
                  process.setSignalAction(SIGPIPE, former, MemorySegment.NULL),
                  ""));
      int answer = process.execute(arguments.getAtIndex(ADDRESS, 0), arguments);
      String who = identity.map(each -> "user " + each.user()).orElse("this user");
      throw Answer.failure(
          "execvp",
          name,
          answer,
          Answer.is(answer, Errno.EACCES) ? who + " may not execute it, or not get to it" : "");
    }
  }

  private static void closeOnExec(ProcessCalls process, int fd, boolean closed)
      throws VfioException {
    Answer.require("fcntl", "file " + fd, process.setCloseOnExec(fd, closed), "");
  }

  /** The virtual machine has files of its own open that it does not close on exec. */
  private static void keepOwnFilesBack(ProcessCalls process) throws VfioException {
    List<Path> own =
        Stream.of("java.home", "jdk.module.path", "java.class.path")
            .flatMap(each -> Arrays.stream(System.getProperty(each, "").split(":")))
            .filter(each -> !each.isEmpty())
            .flatMap(each -> real(Path.of(each)))
            .toList();
    try (Stream<Path> files = Files.list(OWN_FILES)) {
      for (Path file : files.toList()) {
        if (target(file).anyMatch(target -> own.stream().anyMatch(target::startsWith))) {
          process.setCloseOnExec(Integer.parseInt(String.valueOf(file.getFileName())), true);
        }
      }
    } catch (IOException | UncheckedIOException e) {
      throw new VfioException("list", OWN_FILES.toString(), null, String.valueOf(e.getMessage()));
    }
  }

  private static Stream<Path> real(Path path) {
    try {
      return Stream.of(path.toRealPath());
    } catch (IOException e) {
      return Stream.of(); // then nothing of it can be open
    }
  }

  private static Stream<Path> target(Path file) {
    try {
      return Stream.of(Files.readSymbolicLink(file));
    } catch (IOException e) {
      return Stream.of(); // closed since it was listed
    }
  }

  private static void limit(Arena arena, ProcessCalls process, long bytes, Rollback rollback)
      throws VfioException {
    long limit = bytes == Long.MAX_VALUE ? -1 : bytes; // RLIM_INFINITY
    MemorySegment both = arena.allocateFrom(JAVA_LONG, limit, limit);
    MemorySegment former = arena.allocateFrom(JAVA_LONG, 0, 0);
    limit(process, both, former);
    rollback.add(() -> limit(process, former, MemorySegment.NULL));
  }

  private static void limit(ProcessCalls process, MemorySegment both, MemorySegment former)
      throws VfioException {
    int answer = process.setrlimit(RLIMIT_MEMLOCK, both, former);
    Answer.require(
        "setrlimit",
        "the limit of locked memory",
        answer,
        Answer.is(answer, Errno.EPERM) ? "only root may raise it above the hard limit" : "");
  }
}
