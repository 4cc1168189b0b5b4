/**
 * What comes of a step: an answer that is a result or an exception, a rollback, a closing. Not
 * exported.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.outcome.Answer}: from the kernel's answer to an exception, in one
 *       place;
 *   <li>{@link io.github.vfio4j.outcome.Rollback}: undoing what was done, whatever was thrown;
 *   <li>{@link io.github.vfio4j.outcome.Closing}: going on after failures, and telling all of them;
 *   <li>{@link io.github.vfio4j.outcome.Dependents}: ownership of what was made from an object;
 *   <li>{@link io.github.vfio4j.outcome.ThreadEnd}: waiting for a thread, interrupted or not.
 * </ul>
 */
package io.github.vfio4j.outcome;
