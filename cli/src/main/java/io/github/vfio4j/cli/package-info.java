/**
 * The {@code vfio4j} command: {@link io.github.vfio4j.cli.Vfio4j} and the commands that change
 * something. What only looks is in {@code .show}, the demonstrations are in {@code .demo}, what all
 * of them work on is in {@code .host}, and how they write in {@code .text}.
 */
package io.github.vfio4j.cli;
