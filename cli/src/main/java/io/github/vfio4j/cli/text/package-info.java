/**
 * How things are written for people and programs.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.cli.text.Table}, {@link io.github.vfio4j.cli.text.Paragraphs} and
 *       {@link io.github.vfio4j.cli.text.Json}: the shapes of output;
 *   <li>{@link io.github.vfio4j.cli.text.Printable}: text from elsewhere, harmless to a terminal;
 *   <li>{@link io.github.vfio4j.cli.text.PciIds}, {@link io.github.vfio4j.cli.text.Names} and
 *       {@link io.github.vfio4j.cli.text.Size}: what things are called.
 * </ul>
 */
package io.github.vfio4j.cli.text;
