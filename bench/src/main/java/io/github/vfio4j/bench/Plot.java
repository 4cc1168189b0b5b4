package io.github.vfio4j.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Lines over a logarithmic axis, as SVG. */
final class Plot {
  private static final int WIDTH = 720;
  private static final int HEIGHT = 400;
  private static final int LEFT = 90;
  private static final int RIGHT = 190;
  private static final int TOP = 40;
  private static final int BOTTOM = 50;
  private static final int TICKS = 5;
  private static final List<String> COLOURS =
      List.of("#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b");

  /** A place on a line; x is positive. */
  record Point(double x, double y) {}

  private record Line(String name, List<Point> points) {}

  private final String title;
  private final String xLabel;
  private final String yLabel;
  private final List<Line> lines = new ArrayList<>();
  private double least = Double.MAX_VALUE;
  private double most = 1;
  private double top;

  Plot(String title, String xLabel, String yLabel) {
    this.title = title;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
  }

  void add(String name, List<Point> points) {
    lines.add(new Line(name, List.copyOf(points)));
    for (Point point : points) {
      least = Math.min(least, point.x);
      most = Math.max(most, point.x);
      top = Math.max(top, point.y);
    }
  }

  String svg() {
    StringBuilder svg = new StringBuilder();
    svg.append(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                .formatted(WIDTH, HEIGHT)
            + " font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
    text(svg, (double) WIDTH / 2, 20, "middle", title);
    text(svg, (double) (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "middle", xLabel);
    text(svg, 8, TOP - 10, "start", yLabel);
    grid(svg);
    for (int i = 0; i < lines.size(); i++) {
      draw(svg, lines.get(i), i);
    }
    return svg.append("</svg>\n").toString();
  }

  private void grid(StringBuilder svg) {
    for (double decade = Math.pow(10, Math.ceil(Math.log10(least))); decade <= most; decade *= 10) {
      line(svg, x(decade), TOP, x(decade), HEIGHT - BOTTOM);
      text(svg, x(decade), HEIGHT - BOTTOM + 16, "middle", number(decade));
    }
    for (int tick = 0; tick <= TICKS; tick++) {
      double value = top * tick / TICKS;
      line(svg, LEFT, y(value), WIDTH - RIGHT, y(value));
      text(svg, LEFT - 6, y(value) + 4, "end", number(value));
    }
  }

  private void draw(StringBuilder svg, Line line, int index) {
    String colour = COLOURS.get(index % COLOURS.size());
    svg.append(
        "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"".formatted(colour));
    for (Point point : line.points) {
      svg.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(point.x), y(point.y)));
    }
    svg.append("\"/>\n");
    int at = TOP + 20 * index;
    svg.append(
        "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>%n"
            .formatted(WIDTH - RIGHT + 15, at, colour));
    text(svg, WIDTH - RIGHT + 32, at + 10, "start", line.name);
  }

  private double x(double value) {
    double width = Math.max(Math.log10(most / least), Double.MIN_NORMAL);
    return LEFT + (WIDTH - LEFT - RIGHT) * Math.log10(value / least) / width;
  }

  private double y(double value) {
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value >= 10 || value == 0 ? "%,.0f" : "%.2g", value);
  }

  private static void line(StringBuilder svg, double x1, double y1, double x2, double y2) {
    svg.append(
        String.format(
            Locale.ROOT,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>%n",
            x1,
            y1,
            x2,
            y2));
  }

  private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
            x,
            y,
            anchor,
            text));
  }
}
