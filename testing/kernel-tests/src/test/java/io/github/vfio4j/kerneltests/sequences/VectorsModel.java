package io.github.vfio4j.kerneltests.sequences;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.PciFunction.IrqKind;
import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Which vectors of a device are enabled, and how often each has fired. */
final class VectorsModel {
  /** A vector that was enabled once. */
  static final class Vector {
    final Interrupt interrupt;
    final IrqKind kind;
    private boolean open = true;
    private long fired;

    private Vector(Interrupt interrupt, IrqKind kind) {
      this.interrupt = interrupt;
      this.kind = kind;
    }

    boolean isOpen() {
      return open;
    }

    void fire() {
      fired++;
    }

    /** How often it has fired since it was asked last. */
    long take() {
      long count = fired;
      fired = 0;
      return count;
    }
  }

  /** Of these a device has one at a time. */
  private static final Set<IrqKind> EXCLUSIVE = Set.of(IrqKind.INTX, IrqKind.MSI, IrqKind.MSIX);

  private final Map<IrqKind, Integer> counts;
  private final Map<IrqKind, TreeMap<Integer, Vector>> enabled = new EnumMap<>(IrqKind.class);
  final List<Vector> known = new ArrayList<>();

  VectorsModel(Map<IrqKind, Integer> counts) {
    this.counts = Map.copyOf(counts);
    for (IrqKind kind : IrqKind.values()) {
      enabled.put(kind, new TreeMap<>());
    }
  }

  Expected enable(IrqKind kind, int... vectors) {
    Set<Integer> given = new HashSet<>();
    for (int vector : vectors) {
      if (vector < 0 || vector >= counts.get(kind)) {
        return Expected.refused(IndexOutOfBoundsException.class);
      }
      if (!given.add(vector)) {
        return Expected.BAD;
      }
      if (enabled.get(kind).containsKey(vector)) {
        return Expected.refused(DeviceBusyException.class);
      }
    }
    if (given.isEmpty()) {
      return Expected.BAD;
    }
    boolean another =
        EXCLUSIVE.contains(kind)
            && EXCLUSIVE.stream().anyMatch(other -> other != kind && !enabled.get(other).isEmpty());
    return another ? Expected.refused(VfioException.class) : Expected.RETURNS;
  }

  /** Enters what was enabled; says what is wrong with it, if anything is. */
  Optional<String> enter(IrqKind kind, List<Interrupt> interrupts, int... vectors) {
    if (interrupts.size() != vectors.length) {
      return Optional.of(interrupts.size() + " consumers of " + vectors.length + " vectors");
    }
    for (int i = 0; i < vectors.length; i++) {
      Interrupt interrupt = interrupts.get(i);
      if (interrupt.vector() != vectors[i] || interrupt.isClosed()) {
        return Optional.of(interrupt + " in the place of vector " + vectors[i]);
      }
      Vector vector = new Vector(interrupt, kind);
      enabled.get(kind).put(vectors[i], vector);
      known.add(vector);
    }
    return Optional.empty();
  }

  void closed(Vector vector) {
    vector.open = false;
    enabled.get(vector.kind).remove(vector.interrupt.vector(), vector);
  }

  void disabled(IrqKind kind) {
    enabled.get(kind).values().forEach(vector -> vector.open = false);
    enabled.get(kind).clear();
  }

  void disabledAll() {
    for (IrqKind kind : IrqKind.values()) {
      disabled(kind);
    }
  }
}
