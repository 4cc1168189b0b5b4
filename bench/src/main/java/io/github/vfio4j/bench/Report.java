package io.github.vfio4j.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The results as files: a table, the same for programs, and plots. Written anew with each. */
final class Report {
  private static final Pattern GROWTH = Pattern.compile("(live|place|lookup|populate)-(\\d+)(.*)");
  private static final Pattern LATENCY =
      Pattern.compile("interrupt.*|nvme-(read|write)-.*qd1(-.*)?");

  private final Path directory;
  private final String measure;
  private final List<Result> results = new ArrayList<>();

  Report(Path directory, Measure measure) {
    this.directory = directory;
    this.measure = measure.name().toLowerCase(Locale.ROOT);
  }

  void add(Result result) throws IOException {
    results.add(result);
    write(
        ".md",
        results.stream()
            .map(Result::forMarkdown)
            .collect(Collectors.joining("", Result.MARKDOWN_HEAD, "")));
    write(
        ".json",
        results.stream()
            .map(Result::forPrograms)
            .collect(Collectors.joining(",\n", "[\n", "\n]\n")));
    write(
        "-latency.md",
        results.stream()
            .filter(each -> !each.javaLatencies().isEmpty())
            .map(Result::latenciesForMarkdown)
            .collect(Collectors.joining("", Result.LATENCIES_HEAD, "")));
    Matcher growth = GROWTH.matcher(result.name());
    if (growth.matches()) {
      plotGrowth(growth.group(1) + growth.group(3));
    }
    if (LATENCY.matcher(result.name()).matches()) {
      plotLatency(result);
    }
  }

  private void write(String suffix, String text) throws IOException {
    Files.writeString(directory.resolve(measure + suffix), text);
  }

  private void plotGrowth(String curve) throws IOException {
    Map<Integer, Result> points = new TreeMap<>();
    for (Result result : results) {
      Matcher growth = GROWTH.matcher(result.name());
      if (growth.matches() && curve.equals(growth.group(1) + growth.group(3))) {
        points.put(Integer.valueOf(growth.group(2)), result);
      }
    }
    boolean ofThreads = curve.startsWith("populate");
    Plot plot = new Plot(curve, ofThreads ? "threads of Java; C has one" : "live mappings", unit());
    addCurve(plot, "Java", points, result -> result.java().median());
    if (points.values().stream().noneMatch(result -> Double.isNaN(result.difference()))) {
      addCurve(plot, "C", points, result -> result.floor().median());
      if (!ofThreads) {
        addCurve(plot, "Java − C", points, Result::difference);
      }
    }
    write("-" + curve + ".svg", plot.svg());
  }

  private static void addCurve(
      Plot plot, String name, Map<Integer, Result> points, ToDoubleFunction<Result> figure) {
    plot.add(
        name,
        points.entrySet().stream()
            .map(each -> new Plot.Point(each.getKey(), figure.applyAsDouble(each.getValue())))
            .toList());
  }

  private void plotLatency(Result result) throws IOException {
    Plot plot = new Plot(result.name(), unit(), "share that took no longer");
    addShares(plot, "Java", result.javaLatencies());
    addShares(plot, "C", result.floorLatencies());
    write("-latency-" + result.name() + ".svg", plot.svg());
  }

  private static void addShares(Plot plot, String name, Samples latencies) {
    int points = 200;
    plot.add(
        name,
        IntStream.rangeClosed(0, points)
            .mapToDouble(i -> (double) i / points)
            .mapToObj(share -> new Plot.Point(Math.max(1, latencies.quantile(share)), share))
            .toList());
  }

  private String unit() {
    return measure.equals("time") ? "nanoseconds" : measure;
  }
}
