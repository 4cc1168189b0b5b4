package io.github.vfio4j.cli.text;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Finds what somebody meant who mistyped it. */
public final class Similar {

  private static final int LETTERS_FOR_A_MISTAKE = 3;

  private Similar() {}

  /**
   * The only word that starts so, or else the one with the fewest mistakes: one letter in three may
   * be wrong, missing, too many, or in the other order with its neighbour. Two letters have none.
   */
  public static Optional<String> of(String typed, Collection<String> words) {
    List<String> longer = words.stream().filter(word -> word.startsWith(typed)).toList();
    if (longer.size() == 1) {
      return Optional.of(longer.getFirst());
    }
    return nearest(typed, words, typed.length() / LETTERS_FOR_A_MISTAKE).stream().findFirst();
  }

  /** The words with the fewest mistakes, if these are no more than {@code most}. */
  public static List<String> nearest(String typed, Collection<String> words, int most) {
    int fewest = words.stream().mapToInt(word -> mistakes(typed, word)).min().orElse(most + 1);
    return fewest > most
        ? List.of()
        : words.stream().filter(word -> mistakes(typed, word) == fewest).toList();
  }

  /** The distance of Damerau and Levenshtein; capital letters are no mistake. */
  private static int mistakes(String typed, String meant) {
    String from = typed.toLowerCase(Locale.ROOT);
    String to = meant.toLowerCase(Locale.ROOT);
    int[][] distance = new int[from.length() + 1][to.length() + 1];
    for (int i = 0; i <= from.length(); i++) {
      for (int j = 0; j <= to.length(); j++) {
        distance[i][j] = i == 0 || j == 0 ? i + j : step(distance, from, to, i, j);
      }
    }
    return distance[from.length()][to.length()];
  }

  private static int step(int[][] distance, String from, String to, int i, int j) {
    int replaced = from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1;
    int least =
        Math.min(
            distance[i - 1][j - 1] + replaced,
            1 + Math.min(distance[i - 1][j], distance[i][j - 1]));
    boolean swapped =
        i > 1
            && j > 1
            && from.charAt(i - 1) == to.charAt(j - 2)
            && from.charAt(i - 2) == to.charAt(j - 1);
    return swapped ? Math.min(least, distance[i - 2][j - 2] + 1) : least;
  }
}
