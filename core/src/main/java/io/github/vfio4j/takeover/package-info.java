/**
 * What another process has to know of objects of the kernel that go on while it takes them over.
 * Not exported.
 */
package io.github.vfio4j.takeover;
