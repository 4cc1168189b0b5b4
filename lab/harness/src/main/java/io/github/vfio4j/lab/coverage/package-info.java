/**
 * Which parts of the kernel's interface the tests have exercised: a table made from the traces that
 * the library writes in the guests.
 */
@org.jspecify.annotations.NullMarked
package io.github.vfio4j.lab.coverage;
