/**
 * Becoming another program that inherits open files: what {@code vfio4j exec} does. Exported to the
 * command alone, for no library should end the program that uses it.
 */
package io.github.vfio4j.exec;
