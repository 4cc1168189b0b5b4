/*
 * run exit|work|main COMMAND... OPERATIONS: runs a command so many times, one after the other, and prints the nanoseconds
 * of one run, the median.
 *
 * exit: from before it is started until it has ended; its output is thrown away. work: from before it is started until
 * the second of two readings of the clock that it prints. main: from the first of these to the second.
 */
#include "floor.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum span { EXIT, WORK, MAIN };

/* Starts the command, and returns from where its output can be read, or -1 where nobody wants it. */
static int start(char **command, enum span span, pid_t *child) {
  int ends[2] = {-1, -1};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (span == EXIT) {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  } else {
    check(pipe(ends), "pipe");
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
  }
  check(-posix_spawnp(child, command[0], &actions, NULL, command, environ), command[0]);
  posix_spawn_file_actions_destroy(&actions);
  if (span != EXIT) {
    close(ends[1]);
  }
  return ends[0];
}

static int64_t run(char **command, enum span span) {
  pid_t child;
  int64_t before = now();
  int output = start(command, span, &child);
  long long begun = 0, done = 0;
  int told = 1;
  if (span != EXIT) {
    FILE *text = fdopen(output, "r");
    told = fscanf(text, "%lld %lld", &begun, &done) == 2;
    fclose(text);
  }
  int status;
  check(waitpid(child, &status, 0), "waitpid");
  int64_t after = now();
  if (status != 0 || !told) {
    fprintf(stderr, "run: %s ended with status 0x%x\n", command[0], status);
    exit(1);
  }
  return span == EXIT ? after - before : span == WORK ? done - before : done - begun;
}

int main(int count, char **arguments) {
  if (count < 4) {
    fprintf(stderr, "usage: run exit|work|main COMMAND... OPERATIONS\n");
    return 2;
  }
  enum span span = strcmp(arguments[1], "exit") == 0 ? EXIT : strcmp(arguments[1], "work") == 0 ? WORK : MAIN;
  long operations = strtol(arguments[count - 1], NULL, 0);
  arguments[count - 1] = NULL;
  int64_t *nanos = calloc(operations, sizeof *nanos);
  for (long i = 0; i < operations; i++) {
    nanos[i] = run(arguments + 2, span);
  }
  sort(nanos, operations);
  printf("%f\n", (double)nanos[operations / 2]);
}
