/** Runs JUnit tests inside the machines of the lab, and tells what they have exercised. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.lab {
  requires static org.jspecify;
  requires io.github.vfio4j.bindings;
  requires java.xml;
  requires org.junit.platform.launcher;
  requires transitive org.junit.jupiter.api;

  exports io.github.vfio4j.lab;
}
