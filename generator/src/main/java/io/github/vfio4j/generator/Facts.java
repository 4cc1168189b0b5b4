package io.github.vfio4j.generator;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Questions to clang that have a number for an answer; asked one by one, answered all at once. */
final class Facts {
  private final Map<String, Fact> asked = new LinkedHashMap<>();

  /** Asks for the value of a C constant expression. */
  Fact ask(String expression) {
    return asked.computeIfAbsent(expression, Fact::new);
  }

  /** Has clang answer everything asked so far; expressions may use what the source declares. */
  void answer(Clang clang, String source) {
    List<Fact> facts = new ArrayList<>(asked.values());
    StringBuilder probe = new StringBuilder(source).append('\n');
    for (int i = 0; i < facts.size(); i++) {
      probe.append("enum { ").append(probeName(i)).append(" = ").append(facts.get(i).expression());
      probe.append(" };\n");
    }
    Map<String, Node> answers = new LinkedHashMap<>();
    for (Node declaration : clang.syntaxTree(probe.toString()).children()) {
      for (Node constant : declaration.is("EnumDecl") ? declaration.children() : List.<Node>of()) {
        answers.put(constant.name(), constant);
      }
    }
    for (int i = 0; i < facts.size(); i++) {
      Fact fact = facts.get(i);
      Node evaluated =
          answers
              .getOrDefault(probeName(i), Node.parse("{}"))
              .find("ConstantExpr")
              .orElseThrow(() -> new IllegalStateException("no value: " + fact.expression()));
      fact.answer(evaluated.text("value"), evaluated.type());
    }
  }

  private static String probeName(int index) {
    return "vfio4j_probe_" + index;
  }
}
