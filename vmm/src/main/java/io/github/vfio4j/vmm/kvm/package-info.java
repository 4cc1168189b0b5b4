/**
 * KVM, one class for each of its objects: the system, a virtual machine, its processors and memory
 * slots. What is the same on all kinds of processors.
 */
package io.github.vfio4j.vmm.kvm;
