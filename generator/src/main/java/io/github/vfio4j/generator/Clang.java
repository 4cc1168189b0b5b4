package io.github.vfio4j.generator;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Clang, set to one target and one tree of kernel headers; it never runs what it compiles. */
final class Clang {
  private static final Pattern ERROR_LINE = Pattern.compile("(?m)^<stdin>:(\\d+):\\d+: error: ");

  private final String executable;
  private final Path headers;
  private final Target target;

  /**
   * @param executable the compiler
   * @param headers a directory that holds {@code linux/} and, by target, {@code asm/}
   * @param target the architecture to compile for
   */
  Clang(String executable, Path headers, Target target) {
    this.executable = executable;
    this.headers = headers;
    this.target = target;
  }

  Target target() {
    return target;
  }

  /** The path under which clang reports a header such as {@code linux/vfio.h}. */
  Path header(String name) {
    return name.startsWith("asm/")
        ? headers.resolve(target.triple()).resolve(name)
        : headers.resolve(name);
  }

  /** The syntax tree of a source that compiles. */
  Node syntaxTree(String source) {
    return Node.parse(run(source, "-fsyntax-only", "-Xclang", "-ast-dump=json").mustSucceed());
  }

  /** A source after the preprocessor, with its {@code #define} lines kept in place. */
  String preprocess(String source) {
    return run(source, "-E", "-dD").mustSucceed();
  }

  /** Clang's account of where each field of each struct lies, down to the bit. */
  String recordLayouts(String source) {
    return run(source, "-fsyntax-only", "-Xclang", "-fdump-record-layouts-complete").mustSucceed();
  }

  /** The lines of a source, counted from 1, that do not compile. */
  Set<Integer> linesInError(String source) {
    Set<Integer> lines = new TreeSet<>();
    Matcher matcher = ERROR_LINE.matcher(run(source, "-fsyntax-only").messages());
    while (matcher.find()) {
      lines.add(Integer.valueOf(matcher.group(1)));
    }
    return lines;
  }

  private Outcome run(String source, String... mode) {
    List<String> command =
        new ArrayList<>(
            List.of(
                executable,
                "-target",
                target.triple(),
                "-nostdinc",
                "-I",
                headers.toString(),
                "-I",
                headers.resolve(target.triple()).toString(),
                "-w",
                "-ferror-limit=0",
                "-fno-caret-diagnostics"));
    command.addAll(List.of(mode));
    command.addAll(List.of("-x", "c", "-"));
    try {
      Path messages = Files.createTempFile("clang", ".txt");
      try {
        Process process = new ProcessBuilder(command).redirectError(messages.toFile()).start();
        try (OutputStream stdin = process.getOutputStream()) {
          stdin.write(source.getBytes(UTF_8));
        }
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        return new Outcome(process.waitFor(), output, Files.readString(messages, UTF_8));
      } finally {
        Files.delete(messages);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("running " + executable, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while running " + executable, e);
    }
  }

  private record Outcome(int status, String output, String messages) {
    String mustSucceed() {
      if (status != 0) {
        throw new IllegalStateException("clang failed:\n" + messages);
      }
      return output;
    }
  }
}
