/**
 * System calls, open files, eventfds, pages and device memory: all that Java calls native access.
 *
 * <p>It is for the modules of this project only. A program that uses them is started with {@code
 * --enable-native-access=io.github.vfio4j.linux}, and needs no more.
 */
@org.jspecify.annotations.NullMarked
@SuppressWarnings("module") // the modules that it is exported to are built after it
module io.github.vfio4j.linux {
  requires static transitive org.jspecify;
  requires io.github.vfio4j.bindings;

  exports io.github.vfio4j.linux to
      io.github.vfio4j.core,
      io.github.vfio4j.mock,
      io.github.vfio4j.model,
      io.github.vfio4j.vmm;
}
