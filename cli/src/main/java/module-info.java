/** The {@code vfio4j} command. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.cli {
  requires static transitive org.jspecify;
  requires info.picocli;
  requires io.github.vfio4j.core;
  requires io.github.vfio4j.edu;
  requires io.github.vfio4j.model;
  requires io.github.vfio4j.nvme;
  requires io.github.vfio4j.vmm;
  requires tools.jackson.jr.ob;

  opens io.github.vfio4j.cli to
      info.picocli;
  opens io.github.vfio4j.cli.demo to
      info.picocli;
  opens io.github.vfio4j.cli.host to
      info.picocli;
  opens io.github.vfio4j.cli.nvme to
      info.picocli;
  opens io.github.vfio4j.cli.show to
      info.picocli;
  opens io.github.vfio4j.cli.vm to
      info.picocli;
}
