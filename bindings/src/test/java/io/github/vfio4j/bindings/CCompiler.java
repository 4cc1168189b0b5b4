package io.github.vfio4j.bindings;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** GCC for one target, and the kernel's headers. */
final class CCompiler {
  private final AuditedTarget target;
  private final Path headers;

  CCompiler(AuditedTarget target, Path headers) {
    this.target = target;
    this.headers = headers;
  }

  /** Compiles a source and prints nothing when it is right, else what is wrong. */
  String complaints(String source) {
    // optimised, so that tests of constants vanish and what is left of them is an error
    return run(source, "-O2", "-Wall", "-Werror", "-S", "-o", "/dev/null").messages();
  }

  /** A source after the preprocessor, with its macros or without. */
  String preprocess(String source, String... options) {
    List<String> all = new ArrayList<>(List.of(options));
    all.add("-E");
    return run(source, all.toArray(String[]::new)).output();
  }

  private record Outcome(String output, String messages) {}

  private Outcome run(String source, String... options) {
    List<String> command = new ArrayList<>();
    command.add(target.triple() + "-gcc");
    command.addAll(List.of("-nostdinc", "-I", headers.toString()));
    command.addAll(List.of("-I", headers.resolve(target.triple()).toString()));
    command.addAll(List.of(options));
    command.addAll(List.of("-x", "c", "-"));
    try {
      Path messages = Files.createTempFile("gcc", ".txt");
      try {
        Process process = new ProcessBuilder(command).redirectError(messages.toFile()).start();
        try (OutputStream stdin = process.getOutputStream()) {
          stdin.write(source.getBytes(UTF_8));
        }
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        int status = process.waitFor();
        String told = Files.readString(messages);
        if (status != 0 && told.isEmpty()) {
          throw new AssertionError(command.getFirst() + " ended with " + status);
        }
        return new Outcome(output, status == 0 ? "" : told);
      } finally {
        Files.delete(messages);
      }
    } catch (IOException e) {
      throw new AssertionError("cannot run " + command.getFirst() + ": run lab/test", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
