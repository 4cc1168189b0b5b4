package io.github.vfio4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Tells of a failed command in one line, and where it comes from if asked. */
final class ErrorLine implements IExecutionExceptionHandler {

  private final Vfio4j vfio4j;
  private final PrintWriter err;

  ErrorLine(Vfio4j vfio4j, PrintWriter err) {
    this.vfio4j = vfio4j;
    this.err = err;
  }

  @Override
  public int handleExecutionException(
      Exception failure, CommandLine commandLine, ParseResult arguments) {
    commandLine.getOut().flush();
    err.println("vfio4j: " + Printable.line(describe(failure)));
    for (Throwable further : failure.getSuppressed()) {
      err.println("vfio4j: then also: " + Printable.line(String.valueOf(further.getMessage())));
    }
    if (vfio4j.trace()) {
      failure.printStackTrace(err);
    }
    err.flush();
    return ExitStatus.of(failure);
  }

  private static String describe(Exception failure) {
    return failure instanceof IOException
        ? String.valueOf(failure.getMessage())
        : "a defect of vfio4j, please report it with what --trace prints: " + failure;
  }
}
