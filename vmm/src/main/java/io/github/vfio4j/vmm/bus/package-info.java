/** Which device answers a guest at which address. */
package io.github.vfio4j.vmm.bus;
