/**
 * One thread for many sources of events: an {@link io.github.vfio4j.event.EventDispatcher} tells an
 * {@link io.github.vfio4j.event.EventHandler} of what an {@link io.github.vfio4j.EventSource} has.
 */
package io.github.vfio4j.event;
