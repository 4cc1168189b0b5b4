package io.github.vfio4j;

/**
 * Which interface a device was opened through, and why that one.
 *
 * @param backend the interface
 * @param reason why, in words
 */
public record BackendChoice(Backend backend, String reason) {}
