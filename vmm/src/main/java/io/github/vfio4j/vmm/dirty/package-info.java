/** Which pages of the guest's memory were written, and who knows it: by kind of device. */
package io.github.vfio4j.vmm.dirty;
