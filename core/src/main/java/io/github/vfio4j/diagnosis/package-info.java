/**
 * What stands between this user and an open device: every condition checked, and for each one that
 * is not met, how to meet it.
 */
package io.github.vfio4j.diagnosis;
