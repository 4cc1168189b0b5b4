package io.github.vfio4j.handover;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.device.Timeout;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.takeover.RunningIommufd;
import io.github.vfio4j.takeover.RunningText;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Devices that go on while the process that drives them is replaced by another, as the next version
 * of a virtual machine monitor: their DMA and their interrupts never stop.
 *
 * <p>The old process {@linkplain #send sends} an iommufd with all that is in it: address spaces,
 * page tables that devices are attached to, devices, and the eventfds of their interrupts. The new
 * one {@linkplain #receive receives} it, and owns it as objects from then on, with the same
 * numbers, mappings and interrupts. Interrupts that the old one has not consumed are waiting in the
 * new one.
 *
 * <p>All that is mapped has to be memory of files ({@link MemoryFile}, {@link Ioas#mapFile}), which
 * both processes see. What cannot be taken over is refused before anything is sent: other mappings,
 * PASIDs, page tables that no device is attached to, those of guests with their vIOMMUs, fault
 * queues, ioeventfds, eventfds that unmask, migrations and logs of DMA, the legacy interface; and
 * all of it on kernels before Linux 6.13. Mapped registers end with the old process; the new one
 * maps its own. What {@link Ioas#allowIovas} chose binds the kernel, and is told to the new
 * process's address space by calling it again.
 *
 * <p>From the old process's first word to the new one's last the memory may count twice against the
 * limit of locked memory, where both are the same user's.
 *
 * <p>Both processes are versions of one program: each trusts the other with the iommufd. This
 * object is what the new one has got; it is thread-safe. Closing it closes the iommufd and the
 * memory.
 */
public final class Handover implements AutoCloseable {
  private static final byte LAST = 0;
  private static final byte MORE = 1;
  private static final byte[] TAKEN = {'t'};
  private static final byte[] GO = {'g'};
  private static final byte[] NO = {'n'};
  private static final Duration FOREVER = Duration.ofDays(1_000);
  private static final int PART = HandoverSocket.MOST_BYTES - 1;
  private static final int MOST_STATE = 1 << 24;
  private static final int MOST_TEXT = 2 * MOST_STATE;
  private static final int MOST_FILES = 1 << 14;

  private record Vector(CdevDevice device, int index, Interrupt interrupt) {}

  private final Iommufd iommufd;
  private final List<MemoryFile> memory;
  private final List<Vector> vectors;
  private final byte[] state;

  private Handover(Iommufd iommufd, List<MemoryFile> memory, List<Vector> vectors, byte[] state) {
    this.iommufd = iommufd;
    this.memory = memory;
    this.vectors = vectors;
    this.state = state;
  }

  /**
   * Hands an iommufd with all that is in it to another process, which {@linkplain #receive
   * receives} it. When this returns that one goes on with it, and here the iommufd and all that was
   * made from it is closed; the memory files stay the caller's.
   *
   * <p>Meanwhile nothing may be mapped, made, registered or closed. Registers may be used until
   * they are closed. Handlers of interrupts are refused, as they would take what is the other
   * process's; so would an irqfd, which is to be closed before. Threads that wait for interrupts
   * are woken, and an interrupt that was waited for is then signalled once more than the device has
   * raised it: stop waiting before.
   *
   * @param socket to the other process
   * @param iommufd what is handed over
   * @param memory the files that its mappings are of, and what else the other process shall have,
   *     in an order that it knows
   * @param state what this program tells its successor, up to 16 MiB
   * @param timeout how long to wait for each of the other process's steps
   * @throws IllegalArgumentException if the state is too large, or the timeout is negative
   * @throws IllegalStateException if the iommufd, or a file, is closed
   * @throws io.github.vfio4j.UnsupportedByKernelException if this kernel cannot (Linux 6.13 was the
   *     first)
   * @throws VfioException if something cannot be handed over, or is too much, or the other process
   *     fails, or does not answer in time. All is this process's as before then, and the socket is
   *     closed where something was sent already. Where the iommufd is closed nevertheless, the
   *     other process goes on with it, and closing failed here
   */
  public static void send(
      HandoverSocket socket,
      Iommufd iommufd,
      List<MemoryFile> memory,
      byte[] state,
      Duration timeout)
      throws VfioException {
    Timeout.nanos(timeout);
    byte[] copy = state.clone();
    if (copy.length > MOST_STATE) {
      throw new IllegalArgumentException("a state has up to " + MOST_STATE + " bytes");
    }
    synchronized (iommufd) {
      Closing closing = new Closing();
      List<OpenFile> files = new ArrayList<>();
      try {
        RunningIommufd running = iommufd.describe(file -> files.add(OpenFile.duplicate(file)));
        for (MemoryFile each : memory) {
          files.add(OpenFile.of(each));
        }
        iommufd.changeProcess(); // changes nothing, where the kernel can and allows it
        byte[] text = RunningText.write(running, files.size() - running.fileCount(), copy);
        if (text.length > MOST_TEXT || files.size() > MOST_FILES) {
          throw new VfioException(
              "hand over",
              iommufd.toString(),
              null,
              "it takes %d bytes and %d files to tell of it, and no more than %d and %d can be sent"
                  .formatted(text.length, files.size(), MOST_TEXT, MOST_FILES));
        }
        send(socket, iommufd, text, files, timeout);
        iommufd.leave();
      } catch (VfioException | RuntimeException | Error e) {
        closing.add(e);
      }
      files.forEach(file -> closing.attempt(file::close));
      closing.rethrow();
    }
  }

  private static void send(
      HandoverSocket socket, Iommufd iommufd, byte[] text, List<OpenFile> files, Duration timeout)
      throws VfioException {
    try (Rollback rollback = new Rollback()) {
      int part = 0;
      boolean last = false;
      for (int sent = 0; !last; part++) {
        byte[] bytes = Arrays.copyOfRange(text, sent, Math.min(text.length, sent + PART));
        sent += bytes.length;
        int from = Math.min(files.size(), part * HandoverSocket.MOST_FILES);
        int to = Math.min(files.size(), from + HandoverSocket.MOST_FILES);
        last = sent == text.length && to == files.size();
        byte[] message = new byte[bytes.length + 1];
        message[0] = last ? LAST : MORE;
        System.arraycopy(bytes, 0, message, 1, bytes.length);
        socket.send(message, files.subList(from, to), timeout);
        if (part == 0) {
          // what is undone last: the other process may have had it counted as its own
          rollback.add(iommufd::changeProcess);
          rollback.add(socket::close);
          rollback.add(() -> socket.send(NO, List.of(), timeout)); // or it takes this one for dead
        }
      }
      try (Message answer = next(socket, 1, 0, timeout)) {
        if (!Arrays.equals(answer.bytes(), TAKEN)) {
          throw new VfioException(
              "hand over",
              socket.toString(),
              null,
              "the other process answers what makes no sense");
        }
      }
      socket.send(GO, List.of(), timeout);
      rollback.done(part);
    }
  }

  private static Message next(HandoverSocket socket, int bytes, int files, Duration timeout)
      throws VfioException {
    Optional<Message> message = socket.receive(bytes, files, timeout);
    if (message.isEmpty()) {
      throw new VfioException(
          "hand over", socket.toString(), null, "the other process is silent for " + timeout);
    }
    return message.get();
  }

  /**
   * Takes over what another process {@linkplain #send sends}, and has it counted as pinned by this
   * one; {@code IOMMU_IOAS_CHANGE_PROCESS}.
   *
   * <p>Once all is taken over, this one waits for the other's last word, however long that takes,
   * and goes on where the other ends without: nobody else has the devices then.
   *
   * @param socket to the other process
   * @param timeout how long to wait for each of its steps
   * @return what was taken over; the caller closes it
   * @throws IllegalArgumentException if the timeout is negative
   * @throws IllegalStateException if the socket is closed, or gets closed
   * @throws io.github.vfio4j.MemlockLimitException if this process may not lock as much memory
   * @throws VfioException if the other process fails, or sends nothing in time, or what makes no
   *     sense, or the kernel refuses. The other process goes on with it then, and the socket is
   *     closed
   */
  public static Handover receive(HandoverSocket socket, Duration timeout) throws VfioException {
    return receive(Host.running(), socket, timeout);
  }

  static Handover receive(Host host, HandoverSocket socket, Duration timeout) throws VfioException {
    Timeout.nanos(timeout);
    try (Rollback rollback = new Rollback()) {
      rollback.add(socket::close); // which tells the other process
      List<Message> parts = new ArrayList<>();
      rollback.add(() -> closeAll(parts));
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      List<Fd> files = new ArrayList<>();
      boolean last = false;
      while (!last) {
        Message part = next(socket, HandoverSocket.MOST_BYTES, HandoverSocket.MOST_FILES, timeout);
        parts.add(part);
        byte[] bytes = part.bytes();
        text.write(bytes, 1, bytes.length - 1);
        part.files().forEach(file -> files.add(file.file()));
        last = bytes[0] == LAST;
        boolean full = bytes.length == PART + 1 || part.files().size() == HandoverSocket.MOST_FILES;
        if (text.size() > MOST_TEXT || files.size() > MOST_FILES || !(last || full)) {
          throw senseless(socket);
        }
      }
      RunningText.Whole whole = RunningText.read(text.toByteArray(), socket.toString());
      int own = whole.running().fileCount();
      if (files.size() != own + whole.memoryCount()) {
        throw senseless(socket);
      }
      Iommufd iommufd =
          rollback.make(
              () -> Iommufd.takeOver(host, whole.running(), files.iterator()), Iommufd::leave);
      List<MemoryFile> memory = new ArrayList<>();
      for (Fd file : files.subList(own, files.size())) {
        memory.add(
            rollback.make(
                () -> {
                  int number = file.acquire();
                  try {
                    return MemoryFile.ofFd(number);
                  } finally {
                    file.release();
                  }
                },
                MemoryFile::close));
      }
      List<Vector> vectors = new ArrayList<>();
      for (CdevDevice device : iommufd.devices()) {
        OpenDevice.of(device)
            .forEachVector(
                (index, interrupt, event) -> vectors.add(new Vector(device, index, interrupt)));
      }
      Handover taken =
          new Handover(iommufd, List.copyOf(memory), List.copyOf(vectors), whole.state());
      closeAll(parts); // for nothing may fail after the other process's last word
      iommufd.changeProcess();
      socket.send(TAKEN, List.of(), timeout);
      if (!goesOn(socket)) {
        throw new VfioException(
            "take over", socket.toString(), null, "the other process goes on with it itself");
      }
      return rollback.done(taken);
    }
  }

  /** Returns whether this process has all from now on: the other one says so, or is no more. */
  private static boolean goesOn(HandoverSocket socket) throws VfioException {
    try {
      Optional<Message> word = Optional.empty();
      while (word.isEmpty()) {
        word = socket.receive(1, 0, FOREVER);
      }
      return Arrays.equals(word.get().bytes(), GO);
    } catch (ConnectionEndedException e) {
      return true;
    }
  }

  private static void closeAll(List<Message> parts) throws VfioException {
    Closing closing = new Closing();
    parts.forEach(part -> closing.attempt(part::close));
    closing.rethrow();
  }

  private static VfioException senseless(HandoverSocket socket) {
    return new VfioException(
        "take over", socket.toString(), null, "what the other process sends makes no sense");
  }

  /**
   * Returns the iommufd.
   *
   * @return what was taken over; {@link Iommufd#addressSpaces} and {@link Iommufd#devices} tell
   *     what is in it
   */
  public Iommufd iommufd() {
    return iommufd;
  }

  /**
   * Returns an interrupt that was enabled when it was taken over.
   *
   * @param device the device
   * @param index its interrupt index, as {@link io.github.vfio4j.IrqIndex#index} tells it
   * @param vector which vector
   * @return the interrupt; the device owns it. Empty where it was not enabled
   */
  public Optional<Interrupt> interrupt(CdevDevice device, int index, int vector) {
    return vectors.stream()
        .filter(
            each ->
                each.device.equals(device)
                    && each.index == index
                    && each.interrupt.vector() == vector)
        .map(Vector::interrupt)
        .findFirst();
  }

  /**
   * Returns the memory.
   *
   * @return the files, in the order in which they were sent, unmodifiable; this object owns them
   */
  public List<MemoryFile> memory() {
    return memory;
  }

  /**
   * Returns what the other process had to tell.
   *
   * @return a copy of the bytes
   */
  public byte[] state() {
    return state.clone();
  }

  /**
   * Closes the iommufd with all that is in it, and the memory. Later calls do nothing.
   *
   * @throws VfioException the first failure, with the others attached; all that could be closed is
   *     closed
   */
  @Override
  public void close() throws VfioException {
    Closing closing = new Closing();
    closing.attempt(iommufd::close);
    memory.forEach(file -> closing.attempt(file::close));
    closing.rethrow();
  }

  /** Returns what was taken over. */
  @Override
  public String toString() {
    return "handover of " + iommufd + " with " + iommufd.devices().size() + " devices";
  }
}
