package io.github.vfio4j.generator;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What is the same in the headers of every target.
 *
 * @param constants the constants
 * @param structs the structs, each of which holds only others of them
 */
record Common(List<Constant> constants, List<Struct> structs) {

  static Common of(Collection<Header> headers) {
    List<Constant> constants = new ArrayList<>(headers.iterator().next().constants());
    List<Struct> structs = new ArrayList<>(headers.iterator().next().structs());
    for (Header header : headers) {
      constants.retainAll(header.constants());
      Map<String, Struct> others =
          header.structs().stream().collect(Collectors.toMap(Struct::name, Function.identity()));
      structs.removeIf(struct -> !struct.equals(others.get(struct.name())));
    }
    // a struct is common only as long as everything that it holds is
    boolean removed = true;
    while (removed) {
      List<String> names = structs.stream().map(Struct::name).toList();
      removed = structs.removeIf(s -> !s.references().allMatch(names::contains));
    }
    return new Common(List.copyOf(constants), List.copyOf(structs));
  }

  boolean has(String structName) {
    return structs.stream().anyMatch(struct -> struct.name().equals(structName));
  }
}
