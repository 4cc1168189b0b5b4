/**
 * What the layers and packages of all modules may use, and what users may rely on.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.architecture.Layer} and {@link
 *       io.github.vfio4j.architecture.CorePackage}: the arrows, as data;
 *   <li>{@link io.github.vfio4j.architecture.Build}: the modules that the tests look at;
 *   <li>{@link io.github.vfio4j.architecture.PublicApi}: what {@code docs/api} lists.
 * </ul>
 */
@NullMarked
package io.github.vfio4j.architecture;

import org.jspecify.annotations.NullMarked;
