package io.github.vfio4j.nvme;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.SeekableByteChannel;

/**
 * A namespace as a channel of bytes, for those who want convenience rather than speed: each call
 * waits for the controller, and moves the bytes through a buffer of the channel's own.
 *
 * <p>Positions need not be those of blocks: a block that is written in part is read first. What is
 * beyond the end is neither read nor written. A command that takes longer than half a minute is
 * aborted, by a reset of the controller if need be, and fails. {@link #force} has all that was
 * written be on the medium. Methods may be called from any thread, and take turns.
 */
public final class NamespaceChannel implements SeekableByteChannel {
  private final NvmeController controller;
  private final Namespace namespace;
  private final LoneCommands commands;
  private final DmaBuffer buffer;
  private final int room;
  private long position;
  private boolean open = true;

  /** Takes over a queue pair and a buffer of whole blocks, as many as one command moves. */
  NamespaceChannel(
      NvmeController controller, Namespace namespace, QueuePair queues, DmaBuffer buffer) {
    this.controller = controller;
    this.namespace = namespace;
    this.commands = new LoneCommands(queues);
    this.buffer = buffer;
    this.room = (int) controller.identity().maximumTransfer();
  }

  /**
   * Returns what the channel is of.
   *
   * @return the namespace
   */
  public Namespace namespace() {
    return namespace;
  }

  private void requireOpen() throws ClosedChannelException {
    if (!open) {
      throw new ClosedChannelException();
    }
  }

  @Override
  public synchronized int read(ByteBuffer target) throws IOException {
    requireOpen();
    if (target.isReadOnly()) {
      throw new NonReadableChannelException();
    }
    if (position >= namespace.size()) {
      return -1;
    }
    int wanted = (int) Math.min(target.remaining(), namespace.size() - position);
    int done = 0;
    while (done < wanted) {
      Part part = part(wanted - done);
      DmaSlice data = move(part, false);
      target.put(data.segment().asSlice(part.offset, part.length).asByteBuffer());
      position += part.length;
      done += part.length;
    }
    return done;
  }

  /**
   * Writes as much as there is room for until the end of the namespace.
   *
   * @param source the bytes
   * @return how many were written
   * @throws ClosedChannelException if the channel is closed
   * @throws IOException if there is no room at all, or the controller refuses or does not answer;
   *     what was written before stays so
   */
  @Override
  public synchronized int write(ByteBuffer source) throws IOException {
    requireOpen();
    int wanted = (int) Math.min(source.remaining(), Math.max(0, namespace.size() - position));
    if (wanted <= 0 && source.hasRemaining()) {
      throw new IOException(this + " ends at byte " + namespace.size());
    }
    int done = 0;
    while (done < wanted) {
      Part part = part(wanted - done);
      DmaSlice data = buffer.slice(0, part.size(namespace));
      commands.settled();
      if (part.length < data.size()) {
        move(part, false);
      }
      MemorySegment bytes = MemorySegment.ofBuffer(source).asSlice(0, part.length);
      data.segment().asSlice(part.offset, part.length).copyFrom(bytes);
      move(part, true);
      source.position(source.position() + part.length);
      position += part.length;
      done += part.length;
    }
    return done;
  }

  /** As much of what is wanted at the position as one command moves. */
  private record Part(long block, int blocks, int offset, int length) {
    long size(Namespace namespace) {
      return (long) blocks * namespace.blockSize();
    }
  }

  private Part part(int wanted) {
    int size = namespace.blockSize();
    int offset = (int) (position % size);
    int length = Math.min(wanted, room - offset);
    int blocks = (offset + length + size - 1) / size;
    return new Part(position / size, blocks, offset, length);
  }

  private DmaSlice move(Part part, boolean write) throws VfioException {
    DmaSlice data = buffer.slice(0, part.size(namespace));
    QueuePair queues = commands.settled();
    if (write) {
      queues.write(namespace, part.block, data, 0);
    } else {
      queues.read(namespace, part.block, data, 0);
    }
    commands.finish(write ? "write" : "read", this);
    return data;
  }

  /**
   * Has all that was written be on the medium; nothing needs to be done where the controller has no
   * cache that loses it.
   *
   * @throws ClosedChannelException if the channel is closed
   * @throws IOException if the controller refuses or does not answer
   */
  public synchronized void force() throws IOException {
    requireOpen();
    if (controller.identity().hasVolatileCache()) {
      commands.settled().flush(namespace, 0);
      commands.finish("flush", this);
    }
  }

  @Override
  public synchronized long position() throws ClosedChannelException {
    requireOpen();
    return position;
  }

  @Override
  public synchronized NamespaceChannel position(long newPosition) throws ClosedChannelException {
    requireOpen();
    if (newPosition < 0) {
      throw new IllegalArgumentException("a negative position: " + newPosition);
    }
    position = newPosition;
    return this;
  }

  @Override
  public synchronized long size() throws ClosedChannelException {
    requireOpen();
    return namespace.size();
  }

  /**
   * Refuses: a namespace has the size that it was made with.
   *
   * @param size ignored
   * @throws UnsupportedOperationException always
   */
  @Override
  public NamespaceChannel truncate(long size) {
    throw new UnsupportedOperationException(this + " cannot be made smaller");
  }

  @Override
  public synchronized boolean isOpen() {
    return open;
  }

  /**
   * Has all that was written be on the medium, and gives the queue pair and the buffer back. Where
   * the controller keeps the queues it keeps the buffer, too, and this may be called again.
   */
  @Override
  public synchronized void close() throws IOException {
    if (!open) {
      return;
    }
    try {
      force();
    } finally {
      commands.close();
      open = false;
      buffer.close();
    }
  }

  /** Returns which namespace of which controller it is of. */
  @Override
  public String toString() {
    return "namespace " + namespace.id() + " of " + controller;
  }
}
