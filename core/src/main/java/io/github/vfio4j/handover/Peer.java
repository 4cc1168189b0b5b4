package io.github.vfio4j.handover;

/**
 * Who is at the other end of a socket, as the kernel has noted when it was made; nobody can forge
 * it.
 *
 * @param pid the process, which may have ended since; 0 where it is not of this namespace
 * @param user the user's number
 * @param group the number of the user's group
 */
public record Peer(int pid, int user, int group) {}
