/** The edu device of QEMU as a model. */
package io.github.vfio4j.model.edu;
