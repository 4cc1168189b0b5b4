package io.github.vfio4j.lab.coverage;

import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.bindings.vfio_h;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A header of the kernel, as rows.
 *
 * @param header its name
 * @param rows its ioctls and messages, each followed by its flags and values
 * @param unclassified its constants that no rule knows
 */
record KernelInterface(String header, List<Row> rows, List<String> unclassified) {
  private static final int IOCTLS = 0x3b00;

  /** The numbers of ioctls once more, and what they are made of. */
  private static final String NUMBERS = "IOMMUFD_TYPE|IOMMUFD_CMD_.*";

  static List<KernelInterface> all() {
    return List.of(
        of(
            "linux/iommufd.h",
            iommufd_h.class,
            Rules.IOMMUFD,
            List.of(Operation.FAULT_READ, Operation.FAULT_RESPONSE, Operation.EVENT_READ)),
        of("linux/vfio.h", vfio_h.class, Rules.VFIO, List.of()));
  }

  private static KernelInterface of(
      String header, Class<?> bindings, List<Rule> rules, List<Operation> messages) {
    Map<String, Integer> constants = constants(bindings);
    List<Operation> operations = new ArrayList<>();
    List<String> unclassified = new ArrayList<>();
    constants.forEach(
        (name, value) -> {
          if (isIoctl(name, value)) {
            operations.add(Operation.ioctl(name, value));
          } else if (!name.matches(NUMBERS)
              && rules.stream().noneMatch(rule -> rule.names().matcher(name).matches())) {
            unclassified.add(name);
          }
        });
    operations.addAll(messages);
    List<Row> rows = new ArrayList<>();
    for (Operation operation : operations) {
      rows.add(new Row(operation.name(), "", operation.is()));
      for (Rule rule : rules) {
        if (rule.operations().contains(operation.name())) {
          constants.forEach(
              (name, value) -> {
                if (rule.names().matcher(name).matches()) {
                  rows.add(row(operation, name, rule, value));
                }
              });
        }
      }
    }
    return new KernelInterface(header, List.copyOf(rows), List.copyOf(unclassified));
  }

  private static Row row(Operation operation, String name, Rule rule, int value) {
    return new Row(
        operation.name(),
        name,
        call -> operation.is().test(call) && rule.check().uses(call, value));
  }

  private static boolean isIoctl(String name, int value) {
    return (value & ~0xff) == IOCTLS && !name.startsWith("IOMMUFD_");
  }

  private static Map<String, Integer> constants(Class<?> bindings) {
    Map<String, Integer> constants = new LinkedHashMap<>();
    for (java.lang.reflect.Field field : bindings.getFields()) {
      if (Modifier.isStatic(field.getModifiers()) && field.getType() == int.class) {
        try {
          constants.put(field.getName(), field.getInt(null));
        } catch (IllegalAccessException e) {
          throw new IllegalStateException(e); // it is public
        }
      }
    }
    return constants;
  }
}
