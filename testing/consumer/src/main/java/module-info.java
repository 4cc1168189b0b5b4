/** A program of somebody else. */
module org.example.consumer {
  requires io.github.vfio4j.core;
  requires io.github.vfio4j.edu;
  requires io.github.vfio4j.model;
}
