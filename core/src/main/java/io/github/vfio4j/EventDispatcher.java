package io.github.vfio4j;

import io.github.vfio4j.linux.Epoll;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Kernel;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Delivers interrupts of many devices, page faults and events of virtual IOMMUs to handlers, on one
 * platform thread of its own.
 *
 * <p>It is for control planes and for virtual threads; a thread that serves one source waits on the
 * source itself. What a handler throws goes to the thread's uncaught exception handler, and
 * dispatching goes on. Thread-safe.
 */
public final class EventDispatcher implements AutoCloseable {
  /** Is told of interrupts. */
  @FunctionalInterface
  public interface InterruptHandler {
    /**
     * Handles an interrupt, on the dispatcher's thread.
     *
     * @param interrupt the vector that fired
     * @param count how often it fired since the last call, at least 1
     */
    void fired(Interrupt interrupt, long count);
  }

  /** Is told of page faults. */
  @FunctionalInterface
  public interface FaultHandler {
    /**
     * Handles page faults, on the dispatcher's thread. The devices wait until each is {@linkplain
     * FaultQueue#respond answered}, which may be done later and from another thread.
     *
     * @param queue where they arrived
     * @param faults the faults, in the order of their arrival, at least one
     */
    void faulted(FaultQueue queue, List<PageFault> faults);
  }

  /** Is told of events of a virtual IOMMU. */
  @FunctionalInterface
  public interface VeventHandler {
    /**
     * Handles events, on the dispatcher's thread.
     *
     * @param queue where they arrived
     * @param events the events, in the order of their arrival, at least one
     */
    void happened(VeventQueue queue, List<Vevent> events);
  }

  /** Takes what has happened from a source, and calls the handler. */
  @FunctionalInterface
  private interface Delivery {
    void run() throws VfioException;
  }

  private static final int WAKE = 0;
  private static final int EINTR = Errno.EINTR.number();

  private final Epoll epoll;
  private final EventFd wake;
  private final Thread thread;

  /** Written with the lock held; the index is epoll's token, and 0 is for waking. */
  private volatile @Nullable Registration[] registrations = new @Nullable Registration[8];

  private volatile boolean closed;

  private EventDispatcher(Epoll epoll, EventFd wake) {
    this.epoll = epoll;
    this.wake = wake;
    this.thread = Thread.ofPlatform().daemon().name("vfio4j-events").unstarted(this::run);
  }

  /**
   * Starts a dispatcher.
   *
   * @return the dispatcher; the caller closes it
   * @throws VfioException if the kernel refuses; nothing is left open then
   */
  public static EventDispatcher start() throws VfioException {
    return start(Kernel.running());
  }

  static EventDispatcher start(Kernel kernel) throws VfioException {
    int epollNumber = Epoll.request(kernel);
    if (epollNumber < 0) {
      throw Failure.of("epoll_create1", "event dispatcher", epollNumber, "");
    }
    Epoll epoll = Epoll.of(kernel, epollNumber);
    int wakeNumber = EventFd.request(kernel);
    if (wakeNumber < 0) {
      epoll.close();
      throw Failure.of("eventfd", "event dispatcher", wakeNumber, "");
    }
    EventFd wake = EventFd.of(kernel, wakeNumber, "event dispatcher");
    int answer = epoll.add(wake.fd(), WAKE);
    if (answer < 0) {
      wake.close();
      epoll.close();
      throw Failure.of("epoll_ctl", "event dispatcher", answer, "");
    }
    EventDispatcher dispatcher = new EventDispatcher(epoll, wake);
    dispatcher.thread.start();
    return dispatcher;
  }

  /** A source with its handler; closing it ends the deliveries. */
  public final class Registration implements AutoCloseable {
    private final EventSource source;
    private final Delivery delivery;
    private final int token;
    private boolean ended;

    private Registration(EventSource source, Delivery delivery, int token) {
      this.source = source;
      this.delivery = delivery;
      this.token = token;
    }

    /** Delivers, if there is something to deliver. */
    private synchronized void deliver() {
      if (ended) {
        return;
      }
      try {
        delivery.run();
      } catch (VfioException | RuntimeException | Error e) {
        if (!source.isClosed()) {
          report(e);
        }
      }
    }

    /**
     * Ends the deliveries. When it returns, the handler is not running and will not run again,
     * unless it is the handler that calls. Later calls do nothing.
     *
     * @throws VfioException if the kernel refuses to let go of the file; deliveries end all the
     *     same
     */
    @Override
    public void close() throws VfioException {
      int answer = 0;
      synchronized (this) {
        if (!ended) {
          ended = true;
          if (!closed && !source.isClosed()) {
            answer = epoll.remove(source.watched());
          }
          forget(this);
        }
      }
      if (answer < 0) {
        throw Failure.of("epoll_ctl", source.toString(), answer, "");
      }
    }

    /** Ends the deliveries when the source is about to be closed, which tells epoll by itself. */
    void sourceClosed() {
      forget(this);
    }
  }

  /**
   * Delivers an interrupt to a handler from now on. Nobody else should wait for it meanwhile.
   *
   * @param interrupt the enabled vector
   * @param handler what to call on the dispatcher's thread; it should return soon
   * @return the registration; it ends with the interrupt, with the dispatcher, or when it is closed
   * @throws DeviceBusyException if the interrupt has a handler already
   * @throws IllegalStateException if the interrupt or the dispatcher is closed
   * @throws VfioException if the kernel refuses
   */
  public Registration register(Interrupt interrupt, InterruptHandler handler) throws VfioException {
    return register(
        interrupt,
        () -> {
          long count = interrupt.awaitNanos(0);
          if (count > 0) {
            handler.fired(interrupt, count);
          }
        });
  }

  /**
   * Delivers page faults to a handler from now on. Nobody else should read the queue meanwhile.
   *
   * @param queue the queue
   * @param handler what to call on the dispatcher's thread; it should return soon
   * @return the registration; it ends with the queue, with the dispatcher, or when it is closed
   * @throws VfioException as {@link #register(Interrupt, InterruptHandler)}
   */
  public Registration register(FaultQueue queue, FaultHandler handler) throws VfioException {
    return register(
        queue,
        () -> {
          List<PageFault> faults = queue.await(Duration.ZERO);
          if (!faults.isEmpty()) {
            handler.faulted(queue, faults);
          }
        });
  }

  /**
   * Delivers events of a virtual IOMMU to a handler from now on. Nobody else should read the queue
   * meanwhile.
   *
   * @param queue the queue
   * @param handler what to call on the dispatcher's thread; it should return soon
   * @return the registration; it ends with the queue, with the dispatcher, or when it is closed
   * @throws VfioException as {@link #register(Interrupt, InterruptHandler)}
   */
  public Registration register(VeventQueue queue, VeventHandler handler) throws VfioException {
    return register(
        queue,
        () -> {
          List<Vevent> events = queue.await(Duration.ZERO);
          if (!events.isEmpty()) {
            handler.happened(queue, events);
          }
        });
  }

  private synchronized Registration register(EventSource source, Delivery delivery)
      throws VfioException {
    if (closed) {
      throw new IllegalStateException("the event dispatcher is closed");
    }
    int token = freeToken();
    Registration registration = new Registration(source, delivery, token);
    source.dispatchTo(registration);
    registrations[token] = registration;
    int answer = epoll.add(source.watched(), token);
    if (answer < 0) {
      forget(registration);
      throw Failure.of("epoll_ctl", source.toString(), answer, "");
    }
    return registration;
  }

  private int freeToken() {
    @Nullable Registration[] known = registrations;
    for (int token = WAKE + 1; token < known.length; token++) {
      if (known[token] == null) {
        return token;
      }
    }
    registrations = Arrays.copyOf(known, known.length * 2);
    return known.length;
  }

  private synchronized void forget(Registration registration) {
    if (registrations[registration.token] == registration) {
      registrations[registration.token] = null;
    }
    registration.source.dispatchEnded(registration);
  }

  private void run() {
    while (!closed) {
      int ready = epoll.await();
      if (ready < 0 && ready != -EINTR) {
        report(Failure.of("epoll_wait", "event dispatcher", ready, "no more events"));
        return;
      }
      for (int i = 0; i < ready && !closed; i++) {
        Registration registration = registrations[epoll.token(i)];
        if (registration != null) {
          registration.deliver();
        }
      }
    }
  }

  private void report(Throwable thrown) {
    thread.getUncaughtExceptionHandler().uncaughtException(thread, thrown);
  }

  /**
   * Ends all deliveries and the thread; the sources themselves stay as they are. Later calls do
   * nothing. When it returns, no handler is running, unless it is a handler that calls.
   *
   * @throws VfioException if the kernel refuses; all that could be closed is closed
   */
  @Override
  public void close() throws VfioException {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    wake.signal();
    boolean interrupted = false;
    while (thread != Thread.currentThread() && thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    for (Registration registration : registrations) {
      if (registration != null) {
        forget(registration);
      }
    }
    FirstFailure failure = new FirstFailure();
    closed("wake", wake.close(), failure);
    closed("epoll", epoll.close(), failure);
    failure.rethrow();
  }

  private static void closed(String what, int answer, FirstFailure failure) {
    if (answer < 0) {
      failure.add(Failure.of("close", what + " of the event dispatcher", answer, ""));
    }
  }
}
