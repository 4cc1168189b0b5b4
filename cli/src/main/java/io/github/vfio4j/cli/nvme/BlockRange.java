package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.nvme.Namespace;
import picocli.CommandLine.Option;

/** The options that say where on a disk. */
final class BlockRange {
  @Option(
      names = "--namespace",
      paramLabel = "NUMBER",
      description = "Which namespace (default: ${DEFAULT-VALUE}).")
  private int namespace = 1;

  @Option(
      names = "--block",
      paramLabel = "NUMBER",
      description = "The first block (default: ${DEFAULT-VALUE}).")
  private long block;

  int namespace() {
    return namespace;
  }

  /**
   * Returns where the first block begins.
   *
   * @return the byte, or -1 if the namespace has no such block
   */
  long start(Namespace of) {
    return block < 0 || block >= of.blocks() ? -1 : block * of.blockSize();
  }

  @Override
  public String toString() {
    return "namespace " + namespace + ", block " + block;
  }
}
