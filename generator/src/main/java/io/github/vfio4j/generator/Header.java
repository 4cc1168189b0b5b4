package io.github.vfio4j.generator;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What was read from a header, or from a few that belong together.
 *
 * @param constants its constants in the order of the header, macros before enumerators
 * @param structs its structs and unions, and those that they hold
 */
record Header(List<Constant> constants, List<Struct> structs) {

  /** The names of all of them. */
  Set<String> names() {
    return Stream.concat(constants.stream().map(Constant::name), structs.stream().map(Struct::name))
        .collect(Collectors.toSet());
  }
}
