package io.github.vfio4j.architecture;

import java.util.List;
import java.util.Locale;

/** The layers of the build, from the bottom. */
enum Layer implements Part {
  BINDINGS,
  LINUX,
  CORE,
  MODEL,
  DRIVERS,
  VMM,
  EXAMPLES,
  CLI,
  MOCK,
  LAB,
  KERNELTESTS,
  BENCH,
  GENERATOR;

  /** Returns what a layer may use besides itself. */
  List<Layer> uses() {
    return switch (this) {
      case BINDINGS, GENERATOR -> List.of();
      case LINUX, LAB -> List.of(BINDINGS);
      case CORE -> List.of(BINDINGS, LINUX);
      case MODEL, MOCK, VMM -> List.of(BINDINGS, LINUX, CORE);
      case DRIVERS -> List.of(CORE);
      case EXAMPLES -> List.of(CORE, MODEL, DRIVERS);
      case BENCH -> List.of(BINDINGS, CORE, MODEL, DRIVERS, VMM);
      case CLI -> List.of(CORE, MODEL, DRIVERS, VMM);
      case KERNELTESTS -> List.of(CORE, DRIVERS, VMM, MOCK, LAB);
    };
  }

  @Override
  public String[] packages() {
    return switch (this) {
      case CORE -> Build.descriptor("core").packages().toArray(String[]::new);
      case DRIVERS -> new String[] {"io.github.vfio4j.edu..", "io.github.vfio4j.nvme.."};
      default -> new String[] {"io.github.vfio4j." + name().toLowerCase(Locale.ROOT) + ".."};
    };
  }
}
