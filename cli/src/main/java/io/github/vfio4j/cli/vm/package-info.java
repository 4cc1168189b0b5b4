/**
 * The command that runs a virtual machine: {@link io.github.vfio4j.cli.vm.VmCommand}. What is wrong
 * with its arguments is told before anything is opened; then the guest has this process's standard
 * streams, until it ends.
 */
package io.github.vfio4j.cli.vm;
