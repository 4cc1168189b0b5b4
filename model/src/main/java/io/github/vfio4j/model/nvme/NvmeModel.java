package io.github.vfio4j.model.nvme;

import io.github.vfio4j.model.Bar;
import io.github.vfio4j.model.Bus;
import io.github.vfio4j.model.DeviceModel;
import io.github.vfio4j.model.PciLayout;
import io.github.vfio4j.model.Registers;
import io.github.vfio4j.model.nvme.NvmeFaults.Fault;
import io.github.vfio4j.model.nvme.NvmeFaults.Kind;
import io.github.vfio4j.model.nvme.Stores.Store;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A small NVMe controller with its namespaces in memory.
 *
 * <p>It carries out a command as soon as the doorbell is rung, in the thread that rings it. It has
 * the commands that every controller has, compare, write zeroes, verify and deallocate, and those
 * that format and manage namespaces, of which it has one at first. Doorbells in memory and zones
 * are there if asked for, as are memory of its own for queues, and descriptors of data in place of
 * lists of pages.
 */
public final class NvmeModel implements DeviceModel, Registers {
  /** How many I/O queue pairs it has. */
  public static final int QUEUE_PAIRS = 16;

  /** The most that one command moves at first, in bytes. */
  public static final int MAXIMUM_TRANSFER = 512 << 10;

  private static final int BAR_SIZE = 1 << 14;
  private static final int MSIX_TABLE = 0x2000;
  private static final int DOORBELLS = 0x1000;
  private static final int MOST_ENTRIES = 1024;
  private static final int PAGE = 4096;
  private static final int COMMAND = 64;
  private static final int COMPLETION = 16;

  /** The NVM command set, half a second to get ready, contiguous queues of so many entries. */
  private static final long CAPABILITIES = 1L << 37 | 1L << 24 | 1 << 16 | (MOST_ENTRIES - 1);

  private static final long OTHER_COMMANDS = 1L << 43;
  private static final long CONTROLLER_MEMORY = 1L << 57;
  private static final int ALL_COMMAND_SETS = 6;

  private static final int ZERO_CELSIUS = 273;
  private static final int RETAIN_EVENT = 1 << 15;

  /** What an admin command has that does not end at once. */
  private static final int PENDING = -1;

  private static final int ERROR_EVENT = 0;
  private static final int NOTICE_EVENT = 2;
  private static final int NAMESPACE_CHANGED = 0;
  private static final int INVALID_DOORBELL_VALUE = 1;
  private static final int HEALTH_EVENT = 1;
  private static final int TEMPERATURE_EVENT = 1;
  private static final int TEMPERATURE_WARNING = 1 << 1;
  private static final int READY = 1;
  private static final int FATAL = 2;
  private static final int SHUTDOWN_COMPLETE = 2 << 2;

  /** Generic and command-specific statuses, as type and code. */
  private static final class Status {
    static final int SUCCESS = 0;
    static final int INVALID_OPCODE = 0x001;
    static final int INVALID_FIELD = 0x002;
    static final int ABORTED = 0x007;
    static final int INVALID_NAMESPACE = 0x00b;
    static final int LBA_OUT_OF_RANGE = 0x080;
    static final int COMPLETION_QUEUE_INVALID = 0x100;
    static final int INVALID_QUEUE = 0x101;
    static final int INVALID_QUEUE_SIZE = 0x102;
    static final int TOO_MANY_EVENT_REQUESTS = 0x105;
    static final int INVALID_LOG_PAGE = 0x109;
    static final int INVALID_CONTROLLER_LIST = 0x11c;
    static final int COMPARE_FAILURE = 0x285;

    private Status() {}
  }

  /** A queue of the driver's. */
  private static final class Queue {
    private final long iova;
    private final int entries;
    private final int partner;
    private int head;
    private int tail;
    private int phase = 1;

    Queue(long iova, int entries, int partner) {
      this.iova = iova;
      this.entries = entries;
      this.partner = partner;
    }
  }

  private final int blockSize;
  private final NvmeFaults faults = new NvmeFaults();
  private final Stores stores = new Stores();
  private final DataPointers data = new DataPointers(this::bus);
  private final ControllerMemory memory = new ControllerMemory(this::bus);
  private final Identities identities = new Identities(stores, data);
  private final Map<Integer, Queue> submissions = new TreeMap<>();
  private final Map<Integer, Queue> completions = new TreeMap<>();

  /**
   * Commands that do not end before they are aborted: identifier and queue, as Abort names them.
   */
  private final Set<Integer> hung = new HashSet<>();

  private final FeatureStore features =
      new FeatureStore((QUEUE_PAIRS - 1) << 16 | (QUEUE_PAIRS - 1));
  private final LogStore logs = new LogStore();
  private final EventRequests events = new EventRequests(this::answerRequest);
  private final DoorbellBuffers doorbells = new DoorbellBuffers(this::bus);
  private PciLayout layout;
  private @Nullable Bus bus;
  private int rings;
  private long lastSignOfLife;
  private int configuration;
  private int status;
  private int adminSizes;
  private long adminSubmissions;
  private long adminCompletions;

  /**
   * Makes a controller with one namespace.
   *
   * @param blocks how many blocks it has
   * @param blockSize bytes in one, a power of two from 512 to 4096
   * @throws IllegalArgumentException if the size is another, or there are no blocks, or more than 2
   *     GiB of them
   */
  public NvmeModel(int blocks, int blockSize) {
    this.blockSize = blockSize;
    stores.add(store(blocks, blockSize));
    this.layout = registers().build();
  }

  private PciLayout.Builder registers() {
    return PciLayout.of(0x1b36, 0x0010)
        .classCode(0x010802)
        .subsystem(0x1af4, 0x1100)
        .bar(0, Bar.registers(BAR_SIZE, this))
        .line()
        .msix(QUEUE_PAIRS + 1, 0, MSIX_TABLE)
        .resettable();
  }

  private static Store store(int blocks, int blockSize) {
    if (blockSize < 512 || blockSize > PAGE || Integer.bitCount(blockSize) != 1) {
      throw new IllegalArgumentException("blocks of 512 to 4096 bytes, not of " + blockSize);
    }
    if (blocks <= 0 || blocks > Integer.MAX_VALUE / blockSize) {
      throw new IllegalArgumentException(blocks + " blocks are none, or too many");
    }
    return Store.of(blocks, blockSize);
  }

  /**
   * Takes from the controller the optional commands for its administration: formatting, those that
   * manage namespaces, and signs of life.
   *
   * @return this
   */
  public NvmeModel withoutAdministration() {
    identities.withoutAdministration();
    return this;
  }

  /**
   * Has a command move no more than so much.
   *
   * @param bytes the most, a power of two of at least 8192, which is the least that a controller
   *     can say
   * @return this
   * @throws IllegalArgumentException if it is none
   */
  public NvmeModel withMaximumTransfer(int bytes) {
    if (bytes < 2 * PAGE || Integer.bitCount(bytes) != 1) {
      throw new IllegalArgumentException(bytes + " bytes are no limit that can be said");
    }
    identities.setMaximumTransfer(bytes);
    return this;
  }

  /**
   * Gives the controller another namespace, whose blocks lie in zones; they are as large as the
   * first one's. What was appended, and how far zones are written, outlasts resets.
   *
   * @param count how many zones
   * @param blocks how many blocks from the start of one to that of the next
   * @param capacity how many of them can be written
   * @param mostOpen how many zones can be open at a time, 0 for all
   * @param mostActive how many can be open or closed at a time, 0 for all
   * @return this
   * @throws IllegalArgumentException if there are no zones, or the capacity is not positive or
   *     larger than a zone, or there are more than 2 GiB of them
   */
  public NvmeModel withZones(int count, int blocks, int capacity, int mostOpen, int mostActive) {
    if (count <= 0 || capacity <= 0 || capacity > blocks || count > Integer.MAX_VALUE / blocks) {
      throw new IllegalArgumentException(
          "%d zones of %d blocks, of which %d can be written".formatted(count, blocks, capacity));
    }
    ZoneStates zones = new ZoneStates(count, blocks, capacity, mostOpen, mostActive);
    stores.add(store(count * blocks, blockSize).with(zones));
    return this;
  }

  /**
   * Has a zone wear out. Not to be called while the driver uses the device.
   *
   * @param namespace the number of a namespace with zones
   * @param zone the number of a zone of it, from 0
   * @param offline whether it cannot be read any more, too
   * @throws IllegalArgumentException if there is no such namespace
   */
  public void wearOut(int namespace, int zone, boolean offline) {
    ZoneStates zones = stores.zones(namespace);
    if (zones == null) {
      throw new IllegalArgumentException("namespace " + namespace + " has no zones");
    }
    zones.set(zone, offline);
  }

  /**
   * Gives the controller doorbells that can be in memory (Doorbell Buffer Config). It asks for all
   * of them to be rung, too, unless {@link #askForDoorbells} has it look for itself.
   *
   * @return this
   */
  public NvmeModel withDoorbellBuffers() {
    identities.withDoorbellBuffers();
    return this;
  }

  /**
   * Gives the controller memory of its own (controller memory buffer), which is BAR 2, for
   * submission queues. To be called before the model is hosted.
   *
   * @param bytes how much, a power of two of at least 4096
   * @return this
   * @throws IllegalArgumentException if it is another number
   */
  public NvmeModel withControllerMemory(int bytes) {
    if (bytes < PAGE || Integer.bitCount(bytes) != 1) {
      throw new IllegalArgumentException("a power of two from 4096 on, not " + bytes);
    }
    layout = registers().bar(ControllerMemory.BAR, Bar.memory(bytes)).build();
    memory.setSize(bytes);
    return this;
  }

  /**
   * Has the registers say something else of the controller's own memory than what is.
   *
   * @param location which BAR it is in, and where (CMBLOC)
   * @param size how much it is, and what for (CMBSZ)
   */
  public void describeControllerMemory(int location, int size) {
    memory.describe(location, size);
  }

  /**
   * Has the commands of I/O queues name their data also by one descriptor, a block of any length
   * (SGL). Other descriptors, lists of them, and those of admin commands are refused.
   *
   * @param alignment what address and length are multiples of: 1 or 4
   * @return this
   * @throws IllegalArgumentException if it is another number
   */
  public NvmeModel withScatterGatherLists(int alignment) {
    if (alignment != 1 && alignment != 4) {
      throw new IllegalArgumentException("an alignment of 1 or 4, not of " + alignment);
    }
    data.setAlignment(alignment);
    return this;
  }

  /**
   * Returns how many commands have named their data by a descriptor.
   *
   * @return the number, of all queues and since the model was made
   */
  public int scatterGatherLists() {
    return data.byScatterGather();
  }

  /**
   * Returns how many submission queues are in the controller's own memory.
   *
   * @return the number, as it is now
   */
  public int queuesInControllerMemory() {
    return (int) submissions.values().stream().filter(it -> memory.has(it.iova)).count();
  }

  /**
   * Says whether the controller asks for the doorbells to be rung that are in memory. Where it does
   * not, it does what is asked of it in {@link #lookAtDoorbells}; that has to be called before a
   * queue has gone round. Not to be called while the driver uses the device.
   *
   * @param ask whether it does, as it does at first
   */
  public void askForDoorbells(boolean ask) {
    doorbells.ask(ask);
    submissions.keySet().forEach(this::wantDoorbells);
  }

  /**
   * Has the controller look at the doorbells in memory, and do what it is told there. Not to be
   * called while the driver uses the device.
   */
  public void lookAtDoorbells() {
    for (int number : List.copyOf(submissions.keySet())) {
      Queue queue = submissions.get(number);
      if (number != 0 && queue != null && doorbells.isOn()) {
        goTo(number, queue, doorbells.tail(number));
        wantDoorbells(number);
      }
    }
  }

  private void wantDoorbells(int number) {
    Queue queue = submissions.get(number);
    if (queue != null && number != 0) {
      doorbells.wantTail(number, queue.tail);
      doorbells.wantHead(queue.partner);
    }
  }

  /**
   * Returns how often a doorbell was rung: a register, not one in memory.
   *
   * @return the number, of all queues and since the model was made
   */
  public int doorbellsRung() {
    return rings;
  }

  /**
   * Returns what the controller will do wrong.
   *
   * @return the faults, to be set
   */
  public NvmeFaults faults() {
    return faults;
  }

  /**
   * Gives the controller another temperature, of which it tells the driver where it is to. Not to
   * be called while the driver uses the device.
   *
   * @param celsius the temperature; it is 27 at first
   */
  public void setTemperature(int celsius) {
    logs.setKelvin(celsius + ZERO_CELSIUS);
    judgeTemperature();
  }

  private void judgeTemperature() {
    boolean bad =
        logs.kelvin() >= features.value(FeatureStore.TEMPERATURE_THRESHOLD)
            || logs.kelvin() <= features.underTemperature();
    logs.setTemperatureWarning(bad);
    if (bad && (features.value(FeatureStore.EVENTS) & TEMPERATURE_WARNING) != 0) {
      events.raise(HEALTH_EVENT, TEMPERATURE_EVENT, LogStore.HEALTH);
    }
  }

  @Override
  public PciLayout layout() {
    return layout;
  }

  @Override
  public void plugIn(Bus plug) {
    bus = plug;
  }

  private Bus bus() {
    if (bus == null) {
      throw new IllegalStateException("the controller is on no bus");
    }
    return bus;
  }

  /** Forgets queues and settings; what the namespaces hold stays. */
  @Override
  public void reset() {
    faults.resetFunction();
    memory.control(0);
    stop();
    adminSizes = 0;
    adminSubmissions = 0;
    adminCompletions = 0;
  }

  /** A controller reset, which leaves where the admin queues are. */
  private void stop() {
    hung.clear();
    doorbells.forget();
    stores.stop();
    features.reset();
    events.reset();
    submissions.clear();
    completions.clear();
    configuration = 0;
    status = 0;
  }

  @Override
  public long read(long offset, int width) {
    expectSignOfLife();
    long value =
        switch ((int) offset & -Long.BYTES) {
          case 0x00 -> capabilities();
          case 0x08 -> 0x00010400;
          case 0x10 -> (long) configuration << 32;
          case 0x18 -> (long) status << 32;
          case 0x20 -> (long) adminSizes << 32;
          case 0x28 -> adminSubmissions;
          case 0x30 -> adminCompletions;
          case 0x38 ->
              Integer.toUnsignedLong(memory.location()) | (long) memory.description() << 32;
          case 0x50 -> memory.control();
          case 0x58 -> memory.status();
          default -> 0;
        };
    return value >>> ((offset & (Long.BYTES - 1)) * Byte.SIZE);
  }

  private long capabilities() {
    return CAPABILITIES
        | (stores.haveZones() ? OTHER_COMMANDS : 0)
        | (memory.isThere() ? CONTROLLER_MEMORY : 0);
  }

  @Override
  public void write(long offset, int width, long value) {
    expectSignOfLife();
    if (offset >= DOORBELLS) {
      ring((int) (offset - DOORBELLS) / Integer.BYTES, (int) value);
      return;
    }
    switch ((int) offset) {
      case 0x14 -> configure((int) value);
      case 0x24 -> adminSizes = (int) value;
      case 0x28 -> adminSubmissions = put(adminSubmissions, false, width, value);
      case 0x2c -> adminSubmissions = put(adminSubmissions, true, width, value);
      case 0x30 -> adminCompletions = put(adminCompletions, false, width, value);
      case 0x34 -> adminCompletions = put(adminCompletions, true, width, value);
      case 0x50 -> memory.control(put(memory.control(), false, width, value));
      case 0x54 -> memory.control(put(memory.control(), true, width, value));
      default -> {}
    }
  }

  private static long put(long old, boolean upper, int width, long value) {
    if (width == Long.BYTES) {
      return value;
    }
    return upper ? (old & 0xffffffffL) | value << 32 : (old & ~0xffffffffL) | value;
  }

  private void configure(int value) {
    boolean enabled = (value & 1) != 0;
    if (!enabled) {
      if (faults.staysReady()) {
        return;
      }
      if ((configuration & 1) != 0) {
        stop();
      }
      configuration = value;
      return;
    }
    if ((configuration & 1) == 0) {
      submissions.put(0, new Queue(adminSubmissions, (adminSizes & 0xfff) + 1, 0));
      completions.put(0, new Queue(adminCompletions, (adminSizes >>> 16 & 0xfff) + 1, 0));
      status = faults.neverReady() ? 0 : READY;
    }
    configuration = value;
    if ((value >>> 14 & 3) != 0) {
      status |= SHUTDOWN_COMPLETE;
    }
  }

  private void ring(int doorbell, int value) {
    rings++;
    boolean ofCompletions = (doorbell & 1) != 0;
    int number = doorbell >> 1;
    if (ofCompletions || (status & READY) == 0 || (status & FATAL) != 0) {
      return;
    }
    Queue queue = submissions.get(number);
    if (queue == null || value == queue.tail) {
      events.raise(ERROR_EVENT, INVALID_DOORBELL_VALUE, LogStore.ERRORS);
      return;
    }
    goTo(number, queue, number != 0 && doorbells.isOn() ? doorbells.tail(number) : value);
    if (number != 0 && doorbells.isOn()) {
      wantDoorbells(number);
    }
  }

  /** Carries out what the driver has put into a queue. */
  private void goTo(int number, Queue queue, int tail) {
    if (tail < 0 || tail >= queue.entries) {
      events.raise(ERROR_EVENT, INVALID_DOORBELL_VALUE, LogStore.ERRORS);
      return;
    }
    queue.tail = tail;
    while (queue.head != queue.tail && (status & FATAL) == 0) {
      ByteBuffer command = fetch(queue.iova + (long) queue.head * COMMAND);
      queue.head = queue.head + 1 == queue.entries ? 0 : queue.head + 1;
      execute(number, queue, command);
    }
  }

  private ByteBuffer fetch(long address) {
    byte[] bytes = new byte[COMMAND];
    if (memory.has(address)) {
      memory.read(address, MemorySegment.ofArray(bytes));
    } else {
      bus().read(address, MemorySegment.ofArray(bytes));
    }
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void execute(int number, Queue queue, ByteBuffer command) {
    Optional<Fault> fault = number == 0 ? faults.nextOfAdmin() : faults.next();
    if (fault.filter(it -> it.kind() == Kind.FATAL).isPresent()) {
      status |= FATAL;
      return;
    }
    int identifier = Short.toUnsignedInt(command.getShort(2));
    if (fault.filter(it -> it.kind() == Kind.HANGS).isPresent()) {
      hung.add(identifier << 16 | number);
      return;
    }
    int failed = fault.filter(it -> it.kind() == Kind.STATUS).map(Fault::status).orElse(0);
    int[] result = new int[2];
    int ended = failed != 0 ? failed : number == 0 ? admin(command, result) : io(command, result);
    if (ended == PENDING || fault.filter(it -> it.kind() == Kind.NEVER_ENDS).isPresent()) {
      return;
    }
    if (ended != 0) {
      logs.failed(number, identifier, ended, command.getInt(4));
    }
    if (fault.filter(it -> it.kind() == Kind.WRONG_IDENTIFIER).isPresent()) {
      identifier = 0xfffe;
    }
    boolean stale = fault.filter(it -> it.kind() == Kind.WRONG_PHASE).isPresent();
    long answer = Integer.toUnsignedLong(result[0]) | (long) result[1] << 32;
    if (fault.filter(it -> it.kind() == Kind.WRONG_RESULT).isPresent()) {
      answer = -1;
    }
    complete(number, queue, answer, identifier, ended, stale);
  }

  private void complete(
      int number, Queue queue, long result, int identifier, int ended, boolean stale) {
    Queue answers = completions.get(queue.partner);
    if (answers == null) {
      return;
    }
    int phase = stale ? answers.phase ^ 1 : answers.phase;
    ByteBuffer entry = ByteBuffer.allocate(COMPLETION).order(ByteOrder.LITTLE_ENDIAN);
    entry.putLong(0, result);
    entry.putInt(8, number << 16 | queue.head);
    entry.putInt(12, ended << 17 | phase << 16 | identifier);
    bus()
        .write(
            answers.iova + (long) answers.tail * COMPLETION, MemorySegment.ofArray(entry.array()));
    if (++answers.tail == answers.entries) {
      answers.tail = 0;
      answers.phase ^= 1;
    }
    if (bus().messagesEnabled()) {
      bus().raiseMessage(queue.partner);
    }
  }

  private int admin(ByteBuffer command, int[] result) {
    int word10 = command.getInt(40);
    int number = word10 & 0xffff;
    return switch (command.get(0)) {
      case 0x00 -> submissions.remove(number) == null || number == 0 ? Status.INVALID_QUEUE : 0;
      case 0x04 -> completions.remove(number) == null || number == 0 ? Status.INVALID_QUEUE : 0;
      case 0x01 -> createSubmissions(command, number, (word10 >>> 16) + 1);
      case 0x05 -> create(completions, command, number, (word10 >>> 16) + 1, number);
      case 0x02 -> log(command, word10);
      case 0x06 -> identify(command, word10 & 0xff);
      case 0x08 -> {
        result[0] = abort(word10) ? 0 : 1;
        yield Status.SUCCESS;
      }
      case 0x09 -> {
        lastSignOfLife = System.nanoTime();
        int set = features.set(word10, command.getInt(44), result);
        judgeTemperature();
        yield set;
      }
      case 0x0a -> features.get(word10, command.getInt(44), result);
      case 0x0c ->
          events.request(Short.toUnsignedInt(command.getShort(2)))
              ? PENDING
              : Status.TOO_MANY_EVENT_REQUESTS;
      case 0x7c ->
          identities.hasDoorbellBuffers()
              ? doorbells.begin(command.getLong(24), command.getLong(32))
              : Status.INVALID_OPCODE;
      case 0x0d, 0x15, 0x18, (byte) 0x80 ->
          identities.hasAdministration()
              ? administer(command, word10, result)
              : Status.INVALID_OPCODE;
      default -> Status.INVALID_OPCODE;
    };
  }

  private int administer(ByteBuffer command, int word10, int[] result) {
    int id = command.getInt(4);
    boolean first = (word10 & 0xf) == 0;
    return switch (command.get(0)) {
      case 0x0d -> first ? create(command, result) : changed(id, stores.delete(id));
      case 0x15 -> attach(command, id, first);
      case 0x18 -> {
        lastSignOfLife = System.nanoTime();
        yield Status.SUCCESS;
      }
      default -> changed(id, stores.format(id, word10 & 0xf));
    };
  }

  private int create(ByteBuffer command, int[] result) {
    MemorySegment description = MemorySegment.ofArray(new byte[PAGE]);
    int moved = data.moveOfAdmin(command, description, false);
    if (moved != Status.SUCCESS) {
      return moved;
    }
    ByteBuffer fields = description.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    return stores.create(fields.getLong(0), fields.get(26) & 0xf, result);
  }

  private int attach(ByteBuffer command, int id, boolean attach) {
    MemorySegment list = MemorySegment.ofArray(new byte[PAGE]);
    int moved = data.moveOfAdmin(command, list, false);
    if (moved != Status.SUCCESS) {
      return moved;
    }
    ByteBuffer controllers = list.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    if (controllers.getShort(0) != 1 || controllers.getShort(2) != Identities.CONTROLLER_ID) {
      return Status.INVALID_CONTROLLER_LIST;
    }
    return changed(id, attach ? stores.attach(id) : stores.detach(id));
  }

  /** Tells of a namespace that has changed, if it has. */
  private int changed(int id, int ended) {
    if (ended == 0) {
      logs.changed(id);
      if ((features.value(FeatureStore.EVENTS) & Identities.NAMESPACE_NOTICE) != 0) {
        events.raise(NOTICE_EVENT, NAMESPACE_CHANGED, LogStore.CHANGED_NAMESPACES);
      }
    }
    return ended;
  }

  /** Stops, if the driver has not given the sign of life that was agreed. */
  private void expectSignOfLife() {
    long millis = features.value(FeatureStore.KEEP_ALIVE);
    if (millis > 0 && System.nanoTime() - lastSignOfLife > millis * 1_000_000) {
      status |= FATAL;
    }
  }

  /** Ends a command that hangs, and says whether there was one. */
  private boolean abort(int which) {
    Queue queue = submissions.get(which & 0xffff);
    if (!hung.remove(which) || queue == null) {
      return false;
    }
    complete(which & 0xffff, queue, 0, which >>> 16, Status.ABORTED, false);
    return true;
  }

  private int createSubmissions(ByteBuffer command, int number, int entries) {
    int partner = command.getInt(44) >>> 16;
    return completions.containsKey(partner) && partner != 0
        ? create(submissions, command, number, entries, partner)
        : Status.COMPLETION_QUEUE_INVALID;
  }

  private static int create(
      Map<Integer, Queue> queues, ByteBuffer command, int number, int entries, int partner) {
    if (number == 0 || number > QUEUE_PAIRS || queues.containsKey(number)) {
      return Status.INVALID_QUEUE;
    }
    if (entries < 2 || entries > MOST_ENTRIES) {
      return Status.INVALID_QUEUE_SIZE;
    }
    queues.put(number, new Queue(command.getLong(24), entries, partner));
    return Status.SUCCESS;
  }

  private int log(ByteBuffer command, int word10) {
    Optional<byte[]> log = logs.log(word10 & 0xff);
    if (log.isEmpty()) {
      return Status.INVALID_LOG_PAGE;
    }
    long size = (((word10 >>> 16) | (command.getInt(44) & 0xffffL) << 16) + 1) * Integer.BYTES;
    long offset = command.getLong(48);
    if ((offset & 3) != 0
        || offset < 0
        || offset > log.get().length
        || size > identities.maximumTransfer()) {
      return Status.INVALID_FIELD;
    }
    if ((word10 & RETAIN_EVENT) == 0) {
      events.readLog(word10 & 0xff);
      judgeTemperature();
    }
    byte[] answer = new byte[(int) size];
    int there = Math.min(answer.length, log.get().length - (int) offset);
    System.arraycopy(log.get(), (int) offset, answer, 0, there);
    return data.moveOfAdmin(command, MemorySegment.ofArray(answer), true);
  }

  private void answerRequest(int identifier, int result) {
    Queue queue = submissions.get(0);
    if (queue != null) {
      complete(0, queue, result, identifier, Status.SUCCESS, false);
    }
  }

  private int identify(ByteBuffer command, int what) {
    ByteBuffer answer = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
    int id = command.getInt(4);
    int ended = identities.identify(id, what, command.getInt(44) >>> 24, answer);
    if (ended != Status.SUCCESS) {
      return ended;
    }
    return data.moveOfAdmin(command, MemorySegment.ofArray(answer.array()), true);
  }

  private int io(ByteBuffer command, int[] result) {
    int id = command.getInt(4);
    Store store = stores.attached(id).orElse(null);
    if (store == null) {
      return Status.INVALID_NAMESPACE;
    }
    if (command.get(0) == 0x00) {
      return Status.SUCCESS;
    }
    if (command.get(0) == 0x09) {
      return deallocate(command, store);
    }
    boolean hasZones =
        (configuration >>> 4 & 7) == ALL_COMMAND_SETS
            && features.value(FeatureStore.COMMAND_SETS) == Identities.WITH_ZONES;
    if (command.get(0) >= 0x79) {
      return hasZones ? ofZones(command, store, result) : Status.INVALID_OPCODE;
    }
    long block = command.getLong(40);
    long count = (command.getInt(48) & 0xffff) + 1L;
    if (block < 0 || count > store.blocks() || block > store.blocks() - count) {
      return Status.LBA_OUT_OF_RANGE;
    }
    MemorySegment part = store.part(block, count);
    boolean writes = command.get(0) == 0x01 || command.get(0) == 0x08;
    ZoneStates zones = store.zones();
    int placed = writes && zones != null ? zones.write(block, count) : Status.SUCCESS;
    if (placed != Status.SUCCESS) {
      return placed;
    }
    boolean moves = command.get(0) == 0x01 || command.get(0) == 0x02 || command.get(0) == 0x05;
    if (moves && part.byteSize() > identities.maximumTransfer()) {
      return Status.INVALID_FIELD;
    }
    if (command.get(0) == 0x02) {
      logs.countRead();
    } else if (command.get(0) == 0x01) {
      logs.countWrite();
    }
    return switch (command.get(0)) {
      case 0x01 -> data.move(command, part, false);
      case 0x02 -> data.move(command, part, true);
      case 0x05 -> compare(command, part);
      case 0x08 -> {
        part.fill((byte) 0);
        yield Status.SUCCESS;
      }
      case 0x0c -> Status.SUCCESS;
      default -> Status.INVALID_OPCODE;
    };
  }

  private int ofZones(ByteBuffer command, Store store, int[] result) {
    ZoneStates zones = store.zones();
    long block = command.getLong(40);
    int word13 = command.getInt(52);
    if (zones == null) {
      return Status.INVALID_OPCODE;
    }
    if (block < 0 || block >= store.blocks()) {
      return Status.LBA_OUT_OF_RANGE;
    }
    return switch (command.get(0)) {
      case 0x79 -> zones.manage(block, word13 & 0xff, (word13 & 1 << 8) != 0);
      case 0x7a -> report(command, zones, block, word13);
      case 0x7d -> append(command, store, zones, result);
      default -> Status.INVALID_OPCODE;
    };
  }

  private int append(ByteBuffer command, Store store, ZoneStates zones, int[] result) {
    long zone = command.getLong(40);
    long count = (command.getInt(48) & 0xffff) + 1L;
    if (!zones.isStart(zone)
        || count * store.blockSize() > (long) PAGE << Identities.APPEND_PAGES_SHIFT) {
      return Status.INVALID_FIELD;
    }
    long block = zones.pointer(zone);
    int placed = zones.append(zone, count);
    if (placed != Status.SUCCESS) {
      return placed;
    }
    result[0] = (int) block;
    result[1] = (int) (block >>> 32);
    return data.move(command, store.part(block, count), false);
  }

  private int report(ByteBuffer command, ZoneStates zones, long block, int word13) {
    long size = (Integer.toUnsignedLong(command.getInt(48)) + 1) * Integer.BYTES;
    if ((word13 & 0xffff) != 0 || size > identities.maximumTransfer()) {
      return Status.INVALID_FIELD;
    }
    MemorySegment report = MemorySegment.ofArray(zones.report(block, (int) size));
    return data.move(command, report, true);
  }

  private int compare(ByteBuffer command, MemorySegment part) {
    MemorySegment expected = MemorySegment.ofArray(new byte[(int) part.byteSize()]);
    int moved = data.move(command, expected, false);
    if (moved != Status.SUCCESS) {
      return moved;
    }
    return expected.mismatch(part) == -1 ? Status.SUCCESS : Status.COMPARE_FAILURE;
  }

  private int deallocate(ByteBuffer command, Store store) {
    int ranges = (command.getInt(40) & 0xff) + 1;
    MemorySegment list = MemorySegment.ofArray(new byte[ranges * 16]);
    int moved = data.move(command, list, false);
    if (moved != Status.SUCCESS) {
      return moved;
    }
    ByteBuffer entries = list.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < ranges; i++) {
      long count = Integer.toUnsignedLong(entries.getInt(i * 16 + 4));
      long block = entries.getLong(i * 16 + 8);
      if (block < 0 || count > store.blocks() || block > store.blocks() - count) {
        return Status.LBA_OUT_OF_RANGE;
      }
      store.part(block, count).fill((byte) 0);
    }
    return Status.SUCCESS;
  }
}
