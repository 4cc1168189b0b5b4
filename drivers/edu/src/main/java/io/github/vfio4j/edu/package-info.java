/** A driver for the edu device of QEMU. */
package io.github.vfio4j.edu;
