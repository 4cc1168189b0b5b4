/**
 * The engine of address spaces: what is the same for every backend. Not exported.
 *
 * <ul>
 *   <li>{@link io.github.vfio4j.mapping.AddressSpace}: the one way of all mappings, on an {@link
 *       io.github.vfio4j.channel.AddressSpaceChannel};
 *   <li>{@code IovaAllocator} on {@code FreeExtents} and {@code AllowedRanges}: what is free;
 *       {@code VacantIovas}: what was in use a moment ago;
 *   <li>{@link io.github.vfio4j.mapping.MappingTable}: what is mapped, and the memory behind it;
 *   <li>{@code Population}: has pages there before they are pinned;
 *   <li>{@code PagesBuffer} and {@code Mapping}: what users hold.
 * </ul>
 */
package io.github.vfio4j.mapping;
