/**
 * The demonstrations: {@link io.github.vfio4j.cli.demo.Demo} drives a device with DMA and an
 * interrupt, {@link io.github.vfio4j.cli.demo.NestedDemo} has a guest's page tables translate for
 * it.
 */
package io.github.vfio4j.cli.demo;
