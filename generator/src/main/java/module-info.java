/** Writes the bindings from the kernel's headers. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.generator {
  requires static org.jspecify;
  requires static com.google.errorprone.annotations;
  requires java.compiler;
  requires tools.jackson.jr.ob;
}
