/**
 * The displays of devices that have one: what a guest shows on a mediated graphics device.
 *
 * <p>{@link io.github.vfio4j.graphics.Display} asks which {@link io.github.vfio4j.graphics.Plane}
 * is shown and opens its memory, a {@link io.github.vfio4j.graphics.PlaneMemory}; {@link
 * io.github.vfio4j.graphics.Edid} tells the guest which monitor is plugged in.
 *
 * {@snippet :
 * Display display = Display.of(device).orElseThrow();
 * Plane plane = display.plane(PlaneType.PRIMARY).orElseThrow();
 * try (PlaneMemory memory = display.open(plane)) {
 *   memory.read(0, pixels);
 * }
 * }
 */
package io.github.vfio4j.graphics;
