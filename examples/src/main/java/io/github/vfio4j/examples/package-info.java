/** Programs of one file each: copy one, and go on from there. */
package io.github.vfio4j.examples;
