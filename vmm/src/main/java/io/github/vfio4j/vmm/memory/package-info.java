/** The memory of a guest. */
package io.github.vfio4j.vmm.memory;
