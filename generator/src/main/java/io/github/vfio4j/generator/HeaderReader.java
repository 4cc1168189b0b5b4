package io.github.vfio4j.generator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Reads constants and structs out of headers. */
final class HeaderReader {
  private final Clang clang;

  HeaderReader(Clang clang) {
    this.clang = clang;
  }

  /**
   * Reads what is selected in some headers.
   *
   * @param names the headers, such as {@code linux/vfio.h}
   * @param selection the names to take
   */
  Header read(List<String> names, Selection selection) {
    String source =
        names.stream().map(name -> "#include <" + name + ">\n").collect(Collectors.joining());
    Set<String> files =
        names.stream().map(name -> clang.header(name).toString()).collect(Collectors.toSet());
    Map<String, List<Node>> declarations = SourceFiles.of(clang.syntaxTree(source));
    List<Node> wanted =
        files.stream()
            .flatMap(file -> declarations.getOrDefault(file, List.of()).stream())
            .toList();

    Facts facts = new Facts();
    List<Supplier<Constant>> constants = new ArrayList<>();
    macros(source, files, selection)
        .forEach((name, body) -> constants.add(macro(name, body, facts)));
    for (Node declaration : wanted) {
      for (Node constant : declaration.is("EnumDecl") ? declaration.children() : List.<Node>of()) {
        if (constant.is("EnumConstantDecl") && selection.has(constant.name())) {
          constants.add(enumerator(constant.name(), declaration.name(), facts));
        }
      }
    }
    List<Struct> structs = structs(source, declarations, wanted, selection, facts);
    facts.answer(clang, source);
    return new Header(constants.stream().map(Supplier::get).toList(), structs);
  }

  private static Supplier<Constant> macro(String name, String body, Facts facts) {
    if (Macros.isString(body)) {
      return () -> Constant.string(name, body);
    }
    Fact fact = facts.ask(name);
    return Macros.isIoctl(body)
        ? () -> Constant.ioctl(name, fact, body)
        : () -> Constant.number(name, fact, Constant.Kind.MACRO, body);
  }

  private static Supplier<Constant> enumerator(String name, String enumTag, Facts facts) {
    Fact fact = facts.ask(name);
    return () -> Constant.number(name, fact, Constant.Kind.ENUMERATOR, enumTag);
  }

  /** The selected macros that are integer constants or strings; others do not compile as such. */
  private Map<String, String> macros(String source, Set<String> files, Selection selection) {
    Map<String, String> macros = Macros.of(clang.preprocess(source), files);
    macros.keySet().removeIf(name -> !selection.has(name));
    List<String> names = List.copyOf(macros.keySet());
    StringBuilder probe = new StringBuilder(source);
    macros.forEach(
        (name, body) ->
            probe
                .append(Macros.isString(body) ? "static const char probe_" : "enum { probe_")
                .append(name)
                .append(Macros.isString(body) ? "[] = " : " = ")
                .append(name)
                .append(Macros.isString(body) ? ";\n" : " };\n"));
    int before = (int) source.lines().count();
    for (int line : clang.linesInError(probe.toString())) {
      macros.remove(names.get(line - before - 1));
    }
    return macros;
  }

  /** The selected structs and, after them, those that they hold, from wherever these come. */
  private List<Struct> structs(
      String source,
      Map<String, List<Node>> declarations,
      List<Node> wanted,
      Selection selection,
      Facts facts) {
    StructReader reader =
        new StructReader(
            facts, new RecordLayouts(clang.recordLayouts(source)), selection::leavesOut);
    Map<String, Node> definitions = new LinkedHashMap<>();
    declarations.values().stream()
        .flatMap(List::stream)
        .filter(HeaderReader::isDefinition)
        .forEach(node -> definitions.put(node.name(), node));
    Deque<String> names =
        wanted.stream()
            .filter(HeaderReader::isDefinition)
            .map(Node::name)
            .filter(selection::has)
            .collect(Collectors.toCollection(ArrayDeque::new));
    Map<String, Struct> structs = new LinkedHashMap<>();
    while (!names.isEmpty()) {
      String name = names.remove();
      if (!structs.containsKey(name)) {
        Node definition = definitions.get(name);
        if (definition == null) {
          throw new IllegalStateException("no definition of struct " + name);
        }
        Struct struct = reader.read(definition);
        structs.put(name, struct);
        struct.references().forEach(names::add);
      }
    }
    return List.copyOf(structs.values());
  }

  private static boolean isDefinition(Node node) {
    return node.is("RecordDecl")
        && node.text("completeDefinition").equals("true")
        && !node.name().isEmpty()
        && node.find("FieldDecl").isPresent();
  }
}
