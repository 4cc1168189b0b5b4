package io.github.vfio4j.architecture;

/** Something that arrows lead from and to. */
sealed interface Part permits Layer, CorePackage {
  /** Returns its packages, as ArchUnit writes them. */
  String[] packages();
}
