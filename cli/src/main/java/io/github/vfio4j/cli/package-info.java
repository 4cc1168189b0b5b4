/** The {@code vfio4j} command: prints what the library knows of devices, binds them, tries one. */
package io.github.vfio4j.cli;
