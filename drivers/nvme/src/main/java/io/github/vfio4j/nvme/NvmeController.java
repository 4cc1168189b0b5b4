package io.github.vfio4j.nvme;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.AdminQueue.Command;
import io.github.vfio4j.sysfs.PciDevice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A running NVMe controller.
 *
 * <p>It is written to {@link VfioDevice} alone, so it runs on either kernel interface. Methods may
 * be called from any thread; each {@link QueuePair} is for one thread at a time. It does not own
 * the device: close the controller first. Once it is closed, its methods throw {@link
 * IllegalStateException}; where nobody reaches the device any more, {@link NoSuchDeviceException}.
 * What rings a doorbell then can throw {@link InternalError} too, as {@link MappedRegion} does.
 */
public final class NvmeController implements AutoCloseable {
  private static final int CLASS = 0x010802;
  private static final int STATUS = 0x7ff;
  private static final int INVALID_QUEUE = 0x101;
  private static final int MOST_IDS = 1 << 20;
  private static final int PAGE_SHIFT = 12;

  private static final int CONTIGUOUS = 1;
  private static final int INTERRUPTS = 1 << 1;
  private static final int NUMBER_OF_QUEUES = 7;
  private static final int MOST_QUEUES = 0xffff;
  private static final int EVENT_CONFIGURATION = 0x0b;
  private static final int HEALTH_EVENTS = 0x1f;
  private static final int NOTICES = ~0xff;
  private static final int NAMESPACE = 0;
  private static final int CONTROLLER = 1;
  private static final int ACTIVE_NAMESPACES = 2;
  private static final int NAMESPACE_OF_COMMAND_SET = 5;
  private static final int CONTROLLER_OF_COMMAND_SET = 6;
  private static final int ACTIVE_NAMESPACES_OF_COMMAND_SET = 7;
  private static final int NVM_COMMANDS = 0;
  private static final int ZONED_COMMANDS = 2 << 24;

  private final VfioDevice device;
  private final ControllerRegisters registers;
  private final AdminQueue admin;
  private final ControllerIdentity identity;
  private final AdminAbilities abilities;
  private final CommandSets commandSets;
  private final int mostPairs;
  private final Map<Integer, QueuePair> pairs = new TreeMap<>();
  private @Nullable AsyncEvents listener;
  private volatile @Nullable ShadowDoorbells doorbells;
  private final @Nullable ControllerMemory memory;
  private volatile int era;
  private volatile boolean failed;
  private volatile boolean closed;

  private NvmeController(
      VfioDevice device, ControllerRegisters registers, AdminQueue admin, NvmeSetup setup)
      throws VfioException {
    this.device = device;
    this.registers = registers;
    this.admin = admin;
    admin.stop();
    ControllerMemory.leave(registers);
    device.pci().config().setBusMaster(true);
    admin.start();
    byte[] answer =
        admin.ask(new Command("Identify Controller", Opcode.IDENTIFY, 0, CONTROLLER, 0));
    this.identity = ControllerIdentity.parse(answer, registers.capabilities().smallestPageShift());
    this.abilities = AdminAbilities.parse(device.name(), answer);
    this.commandSets = new CommandSets(admin, registers.capabilities());
    commandSets.choose();
    int granted = askForQueues();
    this.mostPairs = Math.min(granted & 0xffff, granted >>> 16) + 1;
    this.doorbells = shareDoorbells();
    // The last thing: nothing that is left open then can fail.
    this.memory = setup.usesControllerMemory() ? ControllerMemory.open(device, registers) : null;
  }

  /**
   * Returns whether a device is an NVMe controller.
   *
   * @param device a device as sysfs shows it
   * @return whether its class says so
   */
  public static boolean matches(PciDevice device) {
    return device.classCode() == CLASS;
  }

  /**
   * Starts a controller: resets and enables it, and asks it what it is.
   *
   * @param device the open device, which stays the caller's
   * @return the controller; the caller closes it
   * @throws IllegalStateException if the device is closed
   * @throws DeviceTimeoutException if the controller does not get ready in the time that it names
   * @throws NvmeException if the controller refuses a command
   * @throws VfioException if the device is no NVMe controller that this driver knows how to use, or
   *     the kernel refuses
   */
  public static NvmeController start(VfioDevice device) throws VfioException {
    return prepare(device).start();
  }

  /**
   * Begins to say how a controller is to be started; {@link NvmeSetup#start} starts it.
   *
   * @param device the open device, which stays the caller's
   * @return what to say it to
   */
  public static NvmeSetup prepare(VfioDevice device) {
    return new NvmeSetup(device);
  }

  static NvmeController start(VfioDevice device, NvmeSetup setup) throws VfioException {
    ControllerRegisters registers = ControllerRegisters.map(device);
    try {
      require(device, registers.capabilities());
      AdminQueue admin = new AdminQueue(device.name(), registers, device.addressSpace());
      try {
        return new NvmeController(device, registers, admin, setup);
      } catch (Throwable e) {
        try (admin) {
          keepFromMemory(device, e); // which is freed now
          throw e;
        }
      }
    } catch (Throwable e) {
      try (registers) {
        throw e;
      }
    }
  }

  /** Ends the device's DMA, because of a failure that is told of. */
  private static void keepFromMemory(VfioDevice device, Throwable cause) {
    try {
      device.pci().config().setBusMaster(false);
    } catch (VfioException | RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private static void require(VfioDevice device, Capabilities capabilities) throws VfioException {
    if (capabilities.bits() == -1) {
      throw new VfioException("start", device.name(), null, "the device does not answer");
    }
    if (!capabilities.hasNvmCommands()) {
      throw new VfioException(
          "start", device.name(), null, "it has not the NVM command set, but only others");
    }
    if (capabilities.mostEntries() < 2) {
      throw new VfioException("start", device.name(), null, "its queues have room for no command");
    }
    if (capabilities.smallestPageShift() > PAGE_SHIFT) {
      throw new VfioException(
          "start",
          device.name(),
          null,
          "its smallest page has %d bytes, not 4096"
              .formatted(1L << capabilities.smallestPageShift()));
    }
  }

  /**
   * Asks for as many I/O queues as there can be; a controller that was reset has to be asked again.
   */
  private int askForQueues() throws VfioException {
    return admin.tell(
        new Command(
            "Set Features: Number of Queues",
            Opcode.SET_FEATURES,
            0,
            NUMBER_OF_QUEUES,
            (MOST_QUEUES - 1) << 16 | (MOST_QUEUES - 1)));
  }

  /** Puts the doorbells into memory where the controller can do that, and all have room there. */
  private @Nullable ShadowDoorbells shareDoorbells() throws VfioException {
    long room = (mostPairs + 1L) * 2 * registers.capabilities().doorbellStride();
    return abilities.hasDoorbellBuffers() && room <= Rings.PAGE ? admin.shareDoorbells() : null;
  }

  /**
   * Returns whether queue pairs tell the controller of commands by memory (shadow doorbells), and
   * by a register only when the controller asks for that. It is so wherever the controller can do
   * it, which emulated ones can, for which each access to a register is dear.
   *
   * @return whether it is so
   */
  public boolean hasShadowDoorbells() {
    return doorbells != null;
  }

  /**
   * Returns whether queue pairs put their commands into memory of the controller's, as long as
   * there is room, see {@link NvmeSetup#queuesInControllerMemory}.
   *
   * @return whether that was asked for, and the controller has memory for it
   */
  public boolean hasControllerMemory() {
    return memory != null;
  }

  /**
   * Returns what the controller says of itself.
   *
   * @return as read when it was started
   */
  public ControllerIdentity identity() {
    return identity;
  }

  /**
   * Returns how many queue pairs there can be.
   *
   * @return the number
   */
  public int mostQueuePairs() {
    return mostPairs;
  }

  /**
   * Returns the namespaces that are there.
   *
   * @return by number
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer, or one of them has a format that cannot be used
   */
  public List<Namespace> namespaces() throws VfioException {
    List<Namespace> found = new ArrayList<>();
    for (int id : idsOfBlocks()) {
      found.add(namespace(id));
    }
    return found;
  }

  /** Returns the numbers of those namespaces that have blocks, as far as that is known here. */
  private Collection<Integer> idsOfBlocks() throws VfioException {
    if (!registers.capabilities().hasOtherCommands()) {
      return namespaceIds();
    }
    SortedSet<Integer> ids = new TreeSet<>(namespaceIds(NVM_COMMANDS));
    ids.addAll(zonedIds());
    return ids;
  }

  private List<Integer> zonedIds() throws VfioException {
    return commandSets.hasZones() ? namespaceIds(ZONED_COMMANDS) : List.of();
  }

  private List<Integer> namespaceIds(int commandSet) throws VfioException {
    return namespaceIds("Identify Namespaces", ACTIVE_NAMESPACES_OF_COMMAND_SET, commandSet);
  }

  List<Integer> namespaceIds() throws VfioException {
    return namespaceIds("Identify Namespaces", ACTIVE_NAMESPACES);
  }

  List<Integer> namespaceIds(String operation, int which) throws VfioException {
    return namespaceIds(operation, which, 0);
  }

  /** Returns the numbers of a list, which may go over several pages. */
  private List<Integer> namespaceIds(String operation, int which, int commandSet)
      throws VfioException {
    List<Integer> ids = new ArrayList<>();
    int last = 0;
    List<Integer> page;
    do {
      byte[] answer =
          admins().ask(new Command(operation, Opcode.IDENTIFY, last, which, commandSet));
      page = new Fields(answer).idsAt(0, Rings.PAGE);
      for (int id : page) {
        if (Integer.compareUnsigned(id, last) <= 0) {
          throw new VfioException(
              operation, toString(), null, "the list has %d after %d".formatted(id, last));
        }
        last = id;
      }
      ids.addAll(page);
      if (ids.size() > MOST_IDS) {
        throw new VfioException(
            operation, toString(), null, "the list has more than " + MOST_IDS + " numbers");
      }
    } while (page.size() == Rings.PAGE / Integer.BYTES);
    return ids;
  }

  /**
   * Returns one namespace.
   *
   * @param id its number, from 1
   * @return the namespace
   * @throws NvmeException if the controller cannot have one of that number
   * @throws VfioException if there is none, it has a format that cannot be used, or the controller
   *     does not answer
   */
  public Namespace namespace(int id) throws VfioException {
    return Namespace.parse(device.name(), id, identify(id, NAMESPACE, 0));
  }

  private byte[] identify(int namespace, int what, int commandSet) throws VfioException {
    return admins()
        .ask(new Command("Identify Namespace", Opcode.IDENTIFY, namespace, what, commandSet));
  }

  /**
   * Returns the namespaces whose blocks lie in zones. They are among {@link #namespaces}, too.
   *
   * @return by number; none where the controller does not have zones
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer, or one of them has a format that cannot be used
   */
  public List<ZonedNamespace> zonedNamespaces() throws VfioException {
    admins();
    List<ZonedNamespace> found = new ArrayList<>();
    for (int id : zonedIds()) {
      found.add(zoned(id));
    }
    return found;
  }

  private ZonedNamespace zoned(int id) throws VfioException {
    byte[] answer = identify(id, NAMESPACE, 0);
    return ZonedNamespace.parse(
        Namespace.parse(device.name(), id, answer),
        Namespace.format(new Fields(answer)),
        identify(id, NAMESPACE_OF_COMMAND_SET, ZONED_COMMANDS),
        identify(0, CONTROLLER_OF_COMMAND_SET, ZONED_COMMANDS),
        new ZonedNamespace.Limits(
            device.name(),
            identity.maximumTransfer(),
            registers.capabilities().smallestPageShift()));
  }

  /**
   * Returns what tells of the zones of a namespace, and opens, closes, fills and resets them.
   *
   * @param namespace which one
   * @return the zones; the caller closes them, which gives their queue pair back
   * @throws NvmeException if the controller refuses
   * @throws VfioException as {@link #createQueuePair}
   */
  public Zones zones(ZonedNamespace namespace) throws VfioException {
    QueuePair queues = createQueuePair(1);
    try {
      long size = Math.max(Rings.PAGE, device.addressSpace().granule());
      return new Zones(namespace, queues, device.addressSpace().allocate(size));
    } catch (Throwable e) {
      try (queues) {
        throw e;
      }
    }
  }

  /**
   * Asks for the controller's health (SMART).
   *
   * @return as it is now
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public HealthLog health() throws VfioException {
    return HealthLog.parse(logPages().read(HealthLog.IDENTIFIER, -1, 0, HealthLog.SIZE));
  }

  /**
   * Returns the other logs.
   *
   * @return a view, which ends with this controller
   */
  public LogPages logPages() {
    return new LogPages(this);
  }

  /**
   * Returns the settings.
   *
   * @return a view, which ends with this controller
   */
  public Features features() {
    return new Features(this);
  }

  /**
   * Returns what creates, formats and deletes namespaces.
   *
   * @return a view, which ends with this controller
   */
  public NamespaceAdministration administration() {
    return new NamespaceAdministration(this);
  }

  /**
   * Gives the controller a sign of life, see {@link Features#setKeepAlive}.
   *
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it needs none, or does not answer
   */
  public void keepAlive() throws VfioException {
    requireKeepAlive("Keep Alive");
    int _ = admins().tell(new Command("Keep Alive", Opcode.KEEP_ALIVE, 0));
  }

  void requireKeepAlive(String operation) throws VfioException {
    if (abilities.keepAliveUnit().isZero()) {
      throw abilities.lacking(operation, "a timer for signs of life (Keep Alive)");
    }
  }

  /**
   * Has the controller carry out an admin command that was put together by hand, and waits for it;
   * other admin commands wait meanwhile. See {@link NvmeCommand} for what that can do.
   *
   * @param command the command, which moves no data
   * @param timeout how long to wait
   * @return the first word of the controller's answer
   * @throws IllegalArgumentException if it is a command for the driver's own queues
   * @throws NvmeException if the controller refuses
   * @throws DeviceTimeoutException if it does not answer in time; the controller takes no other
   *     admin command before it has answered, or was {@linkplain #reset reset}
   * @throws VfioException if the controller has failed, or gone, or is reset meanwhile
   */
  public int admin(NvmeCommand command, Duration timeout) throws VfioException {
    return admins().tell(command.asAdmin(), timeout);
  }

  /**
   * Has the controller carry out an admin command that moves data, as {@link #admin(NvmeCommand,
   * Duration)} does.
   *
   * @param command the command
   * @param data what it reads or writes, as {@link QueuePair#command(NvmeCommand, DmaSlice, long)}
   *     has it; it is the device's until the command has ended or the controller was reset
   * @param timeout how long to wait
   * @return the first word of the controller's answer
   * @throws IllegalArgumentException if it is a command for the driver's own queues, or the data is
   *     too large, or not aligned to 4 bytes
   * @throws NvmeException if the controller refuses
   * @throws DeviceTimeoutException as {@link #admin(NvmeCommand, Duration)}
   * @throws VfioException as {@link #admin(NvmeCommand, Duration)}
   */
  public int admin(NvmeCommand command, DmaSlice data, Duration timeout) throws VfioException {
    requireMovable(data);
    return admins().move(command.asAdmin(), data.iova(), data.size(), timeout);
  }

  /** Refuses data that no command moves. */
  void requireMovable(DmaSlice data) {
    if (data.size() > identity.maximumTransfer() || (data.iova() & 3) != 0) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x: a command moves up to 0x%x bytes, aligned to 4"
              .formatted(data.size(), data.iova(), identity.maximumTransfer()));
    }
  }

  /** Returns the queue of admin commands, unless it is closed. */
  AdminQueue admins() {
    requireOpen();
    return admin;
  }

  AdminAbilities abilities() {
    return abilities;
  }

  /**
   * Has the controller tell of errors, of its health, and of what else it can tell of.
   *
   * @return the events; the caller closes them, or this controller does
   * @throws IllegalStateException if somebody listens already
   * @throws NvmeException if the controller refuses
   * @throws VfioException if it does not answer
   */
  public synchronized AsyncEvents listen() throws VfioException {
    requireOpen();
    requireRunning("listen");
    if (listener != null) {
      throw new IllegalStateException("somebody listens to the " + listener + " already");
    }
    int before = features().get(EVENT_CONFIGURATION, Features.Value.CURRENT);
    OptionalInt _ = admin.takeEvent(); // one that came after somebody had listened
    configureEvents(HEALTH_EVENTS | (abilities.events() & NOTICES));
    admin.requestEvent();
    listener = new AsyncEvents(this, admin, before);
    return listener;
  }

  private void configureEvents(int which) throws VfioException {
    int _ =
        admin.tell(
            new Command(
                "Set Features: Asynchronous Event Configuration",
                Opcode.SET_FEATURES,
                0,
                EVENT_CONFIGURATION,
                which));
  }

  synchronized void stopListening(AsyncEvents events) throws VfioException {
    events.end();
    if (listener == events) {
      listener = null;
      if (!closed && !failed && !device.isClosed()) {
        configureEvents(events.before());
      }
    }
  }

  /**
   * Opens a namespace as a channel of bytes.
   *
   * @param namespace which one
   * @return the channel; the caller closes it, which gives its queue pair back
   * @throws NvmeException if the controller refuses
   * @throws VfioException as {@link #createQueuePair}, or if a block of it has more bytes than a
   *     command moves
   */
  public NamespaceChannel open(Namespace namespace) throws VfioException {
    if (namespace.blockSize() > identity.maximumTransfer()) {
      throw new VfioException(
          "open",
          "namespace %d of %s".formatted(namespace.id(), this),
          null,
          "its blocks have %d bytes, and a command moves up to %d"
              .formatted(namespace.blockSize(), identity.maximumTransfer()));
    }
    QueuePair queues = createQueuePair(1);
    try {
      DmaBuffer buffer =
          device
              .addressSpace()
              .allocate(Math.max(identity.maximumTransfer(), device.addressSpace().granule()));
      return new NamespaceChannel(this, namespace, queues, buffer);
    } catch (Throwable e) {
      try (queues) {
        throw e;
      }
    }
  }

  /**
   * Makes a queue pair, to be polled.
   *
   * @param depth how many commands can be under way in it
   * @return the pair; the caller closes it, or this controller does
   * @throws IllegalArgumentException if the depth is not positive, or too large for the controller
   * @throws NvmeException if the controller refuses
   * @throws VfioException if there are as many as there can be, the controller does not answer, or
   *     memory cannot be mapped
   */
  public synchronized QueuePair createQueuePair(int depth) throws VfioException {
    return create(depth, false);
  }

  /**
   * Makes a queue pair with an interrupt of its own (MSI-X), for which {@link QueuePair#await}
   * sleeps.
   *
   * <p>Where the kernel cannot add interrupts to enabled ones ({@link IrqIndex#resizable}), make
   * all pairs before they are used: an interrupt of another pair can be lost meanwhile, and who
   * waits for it notices the end of its command only when its time is over.
   *
   * @param depth how many commands can be under way in it
   * @return the pair; the caller closes it, or this controller does
   * @throws IllegalArgumentException as {@link #createQueuePair}
   * @throws NvmeException if the controller refuses
   * @throws VfioException as {@link #createQueuePair}, or if the controller has no interrupt left
   */
  public synchronized QueuePair createQueuePairWithInterrupt(int depth) throws VfioException {
    return create(depth, true);
  }

  private QueuePair create(int depth, boolean interrupts) throws VfioException {
    requireOpen();
    if (depth < 1 || depth >= registers.capabilities().mostEntries()) {
      throw new IllegalArgumentException(
          "the depth of a queue pair is from 1 to %d, not %d"
              .formatted(registers.capabilities().mostEntries() - 1, depth));
    }
    int number = 1;
    while (pairs.containsKey(number)) {
      number++;
    }
    if (number > mostPairs) {
      throw new VfioException(
          "create queue pair", toString(), null, "it has " + mostPairs + " of them already");
    }
    Rings rings = rings(number, depth + 1);
    try {
      Interrupt interrupt = interrupts ? enableInterrupt(number) : null;
      try {
        QueuePair pair = new QueuePair(this, number, rings, interrupt, era);
        pairs.put(number, pair);
        int _ = announce(pair);
        return pair;
      } catch (Throwable e) {
        pairs.remove(number);
        try (interrupt) {
          throw e;
        }
      }
    } catch (Throwable e) {
      try (rings) {
        throw e;
      }
    }
  }

  private Rings rings(int number, int entries) throws VfioException {
    ControllerMemory.Part part = memory == null ? null : memory.take(SubmissionQueue.size(entries));
    try {
      return new Rings(
          registers, device.addressSpace(), number, entries, identity.hasDescriptors(), part);
    } catch (Throwable e) {
      try (part) {
        throw e;
      }
    }
  }

  private Interrupt enableInterrupt(int number) throws VfioException {
    IrqIndex msix = device.pci().msix();
    if (number >= msix.count()) {
      throw new VfioException(
          "create queue pair", toString(), null, "it has only " + msix.count() + " interrupts");
    }
    return msix.enable(number);
  }

  /**
   * Tells the controller of the queues of a pair.
   *
   * @return which start of the controller knows them
   */
  synchronized int announce(QueuePair pair) throws VfioException {
    requireOpen();
    requireRunning("create queue pair");
    pair.rings().ringIn(doorbells);
    int notification = pair.interrupt() == null ? 0 : pair.number() << 16 | INTERRUPTS;
    int queue = (pair.rings().entries() - 1) << 16 | pair.number();
    admin.tell(
        new Command(
            "Create I/O Completion Queue",
            Opcode.CREATE_COMPLETION_QUEUE,
            0,
            queue,
            notification | CONTIGUOUS),
        pair.rings().completionsIova());
    try {
      admin.tell(
          new Command(
              "Create I/O Submission Queue",
              Opcode.CREATE_SUBMISSION_QUEUE,
              0,
              queue,
              pair.number() << 16 | CONTIGUOUS),
          pair.rings().commandsIova());
    } catch (Throwable e) {
      try {
        delete("Delete I/O Completion Queue", Opcode.DELETE_COMPLETION_QUEUE, pair);
      } catch (VfioException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
    return era;
  }

  private void delete(String name, int opcode, QueuePair pair) throws VfioException {
    admin.tell(new Command(name, opcode, 0, pair.number(), 0));
  }

  /** Has the controller forget a pair, if it knows it, whose memory is freed then. */
  synchronized void withdraw(QueuePair pair) throws VfioException {
    if (pairs.get(pair.number()) != pair) {
      return;
    }
    if (device.isClosed() || registers.isGone()) {
      pairs.remove(pair.number()); // what is refused now is refused for ever
    } else if (!failed && pair.era() == era) {
      forget("Delete I/O Submission Queue", Opcode.DELETE_SUBMISSION_QUEUE, pair);
      forget("Delete I/O Completion Queue", Opcode.DELETE_COMPLETION_QUEUE, pair);
    }
    free(pair);
    pairs.remove(pair.number());
  }

  /** Deletes a queue, which an earlier attempt may have deleted. */
  private void forget(String name, int opcode, QueuePair pair) throws VfioException {
    try {
      delete(name, opcode, pair);
    } catch (NvmeException e) {
      if ((e.status().bits() & STATUS) != INVALID_QUEUE) {
        throw e;
      }
    }
  }

  private static void free(QueuePair pair) throws VfioException {
    try (Rings _ = pair.rings();
        Interrupt _ = pair.interrupt()) {
      // both, whatever becomes of the one
    }
  }

  /** Returns how often the controller was reset. */
  int era() {
    return era;
  }

  /**
   * Looks whether the controller is alive: reads its status, which takes about a microsecond. What
   * waits for the controller does so by itself; who polls does it now and then.
   *
   * @throws NoSuchDeviceException if the device has gone
   * @throws ControllerFatalException if the controller has failed, and wants to be reset
   * @throws VfioException if it does not run, because a reset has failed
   */
  public void requireAlive() throws VfioException {
    requireOpen();
    registers.requireAlive("look at");
    requireRunning("look at");
  }

  /**
   * Resets the controller, and starts it again. All commands that are under way end, also where the
   * reset fails: each queue pair tells of its own when it is polled next, and goes on then. Who
   * waits for an answer to a command of another kind gets an exception.
   *
   * <p>A controller that does not stop when it is told is stopped by the reset of its function.
   * Where it does not start again, it is kept from memory, and can be reset once more. Features
   * that were not saved are as after power-on.
   *
   * @throws NoSuchDeviceException if the device has gone
   * @throws ControllerFatalException if the controller fails again while it starts
   * @throws DeviceTimeoutException if it does not get ready in the time that it names
   * @throws NvmeException if it refuses a command
   * @throws VfioException if the kernel refuses
   */
  public void reset() throws VfioException {
    requireOpen();
    admin.giveUp(admin.starts()); // who waits in the monitor for an answer leaves it
    synchronized (this) {
      requireOpen();
      restart();
    }
  }

  /** Resets the controller, unless somebody else has done so since. */
  void reset(int since) throws VfioException {
    requireOpen();
    int start = admin.starts();
    if (since != era) {
      return;
    }
    admin.giveUp(start);
    synchronized (this) {
      requireOpen();
      if (since == era) {
        restart();
      }
    }
  }

  private synchronized void restart() throws VfioException {
    try {
      admin.stop();
    } catch (Throwable e) {
      failed = true;
      keepFromMemory(device, e); // which is others' once the commands have ended
      era++;
      throw e;
    }
    era++;
    try {
      device.pci().config().setBusMaster(true);
      admin.start();
      if (memory != null) {
        memory.enable();
      }
      commandSets.choose();
      int _ = askForQueues();
      doorbells = shareDoorbells();
      if (listener != null) {
        configureEvents(HEALTH_EVENTS | (abilities.events() & NOTICES));
        admin.requestEvent();
      }
      failed = false;
    } catch (Throwable e) {
      failed = true;
      admin.giveUp(admin.starts());
      keepFromMemory(device, e);
      throw e;
    }
  }

  /**
   * Asks the controller to abort a command.
   *
   * @return whether it has done so; the command ends as any other
   */
  boolean abort(int queue, int command, Duration patience) throws VfioException {
    requireOpen();
    int answer =
        admin.tell(new Command("Abort", Opcode.ABORT, 0, command << 16 | queue, 0), patience);
    return (answer & 1) == 0;
  }

  private void requireRunning(String operation) throws VfioException {
    if (failed) {
      registers.requireAlive(operation);
      throw new VfioException(
          operation, toString(), null, "the controller does not run, for its reset failed");
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(this + " is closed");
    }
  }

  /**
   * Closes the queue pairs, shuts the controller down in order, so that what it has in its cache is
   * kept, and stops it. Later calls do nothing. After the device was closed there is nothing to be
   * shut down.
   *
   * @throws VfioException if the controller does not shut down in time, or the kernel refuses; all
   *     that could be closed is closed
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    closed = true;
    if (listener != null) {
      listener.end();
    }
    admin.giveUp(admin.starts());
    try (registers;
        admin;
        memory) {
      if (!device.isClosed()) {
        registers.shutDown();
      }
    } finally {
      freeAll();
    }
  }

  private void freeAll() throws VfioException {
    VfioException failure = null;
    for (QueuePair pair : List.copyOf(pairs.values())) {
      pairs.remove(pair.number());
      try {
        free(pair);
      } catch (VfioException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Returns the device's name. */
  @Override
  public String toString() {
    return device.name();
  }
}
