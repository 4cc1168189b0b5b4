package io.github.vfio4j.linux;

/**
 * A call of the kernel's that was refused.
 *
 * @param operation its name
 * @param answer the negated error number
 */
public record Refusal(String operation, int answer) {}
