/**
 * What is particular to Intel's VT-d: what it can do ({@link io.github.vfio4j.vtd.VtdHwInfo}), and
 * the page tables of a guest that it walks ({@link io.github.vfio4j.vtd.VtdS1PageTable}).
 */
package io.github.vfio4j.vtd;
