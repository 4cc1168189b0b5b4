package io.github.vfio4j.generator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.jr.ob.JSON;

/** A node of clang's syntax tree, as its JSON dump gives it. */
final class Node {
  private final Map<?, ?> json;

  private Node(Map<?, ?> json) {
    this.json = json;
  }

  static Node parse(String json) {
    return new Node(JSON.std.mapFrom(json));
  }

  boolean is(String kind) {
    return kind.equals(json.get("kind"));
  }

  /** The declared name, or nothing for an anonymous declaration. */
  String name() {
    return text("name");
  }

  /** A property as text, or the empty string where the node has none. */
  String text(String property) {
    Object value = json.get(property);
    return value == null ? "" : value.toString();
  }

  /** The type as the header spells it. */
  String type() {
    return json.get("type") instanceof Map<?, ?> type
            && type.get("qualType") instanceof String spelled
        ? spelled
        : "";
  }

  List<Node> children() {
    if (!(json.get("inner") instanceof List<?> inner)) {
      return List.of();
    }
    List<Node> children = new ArrayList<>();
    for (Object child : inner) {
      if (child instanceof Map<?, ?> map) {
        children.add(new Node(map));
      }
    }
    return children;
  }

  /** The nearest node of a kind, this one's children before their children. */
  Optional<Node> find(String kind) {
    Deque<Node> queue = new ArrayDeque<>(children());
    while (!queue.isEmpty()) {
      Node next = queue.remove();
      if (next.is(kind)) {
        return Optional.of(next);
      }
      queue.addAll(next.children());
    }
    return Optional.empty();
  }

  Map<?, ?> json() {
    return json;
  }
}
