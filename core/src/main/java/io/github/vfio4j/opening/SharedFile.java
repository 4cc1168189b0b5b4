package io.github.vfio4j.opening;

import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.outcome.Dependents;

/**
 * The file of an iommufd, lent to a container of the legacy interface.
 *
 * @param host where it is
 * @param file a duplicate, which the container closes
 * @param monitor what is held while the container is closed
 * @param owner what closes the container at the latest
 * @param requireOpen throws if the owner is closed
 */
public record SharedFile(
    Host host, Fd file, Object monitor, Dependents owner, Runnable requireOpen) {}
