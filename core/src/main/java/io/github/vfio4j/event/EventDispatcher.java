package io.github.vfio4j.event;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.EventSource;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.linux.Epoll;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
import io.github.vfio4j.outcome.ThreadEnd;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Delivers interrupts of many devices, page faults and events of virtual IOMMUs to handlers, on one
 * platform thread of its own.
 *
 * <p>It is for control planes and for virtual threads; a thread that serves one source waits on the
 * source itself. What a handler throws goes to the thread's uncaught exception handler, or, where
 * that throws too, to the standard error stream; dispatching goes on. So does that a source cannot
 * be read, which ends its registration: it would fail again at once, without end. Thread-safe.
 */
public final class EventDispatcher implements AutoCloseable {
  private static final String NAME = "event dispatcher";
  private static final int WAKE = 0;
  private static final int EINTR = Errno.EINTR.number();

  private final Epoll epoll;
  private final EventFd wake;
  private final Thread thread;

  /** Written with the lock held; the index is epoll's token, and 0 is for waking. */
  private volatile @Nullable Registration[] registrations = new @Nullable Registration[8];

  private volatile boolean closed;
  private boolean released;

  /** What has ended the thread. */
  private @Nullable Throwable failure;

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
    return start(RunningKernel.get());
  }

  static EventDispatcher start(Kernel kernel) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Epoll epoll = new Epoll(kernel);
      rollback.add(epoll::close);
      Answer.require("epoll_create1", NAME, epoll.open(), "");
      EventFd wake = new EventFd(kernel, NAME);
      rollback.add(wake::close);
      Answer.require("eventfd", NAME, wake.open(), "");
      Answer.require("epoll_ctl", NAME, epoll.add(wake.fd(), WAKE), "");
      EventDispatcher dispatcher = new EventDispatcher(epoll, wake);
      dispatcher.thread.start();
      return rollback.done(dispatcher);
    }
  }

  /** Takes what has happened from a source. */
  @FunctionalInterface
  private interface Arrivals {
    /** Returns the call of the handler, or null where nothing has happened. */
    @Nullable Runnable take() throws VfioException;
  }

  /** A source with its handler; closing it ends the deliveries. */
  public final class Registration implements AutoCloseable {
    private final EventSource<?> source;
    private final EventChannel<?> channel;
    private final Arrivals arrivals;
    private final int token;
    private final Runnable whenSourceCloses = this::sourceCloses;
    private final AtomicBoolean watched = new AtomicBoolean(true);
    private volatile boolean ended;

    private Registration(
        EventSource<?> source, EventChannel<?> channel, Arrivals arrivals, int token) {
      this.source = source;
      this.channel = channel;
      this.arrivals = arrivals;
      this.token = token;
    }

    /** Returns the source, and whether deliveries have ended. */
    @Override
    public String toString() {
      return "deliveries of " + source + (ended ? ", ended" : "");
    }

    /** Delivers, if there is something to deliver. */
    private synchronized void deliver() {
      if (ended) {
        return;
      }
      Runnable delivery;
      try {
        delivery = take();
      } catch (Throwable e) {
        leaveOut(e);
        return;
      }
      try {
        if (delivery != null) {
          delivery.run();
        }
      } catch (Throwable e) {
        report(e);
      }
    }

    private void leaveOut(Throwable failed) {
      try {
        close();
      } catch (VfioException | RuntimeException | Error e) {
        failed.addSuppressed(e);
      }
      report(failed);
    }

    private @Nullable Runnable take() throws VfioException {
      try {
        return arrivals.take();
      } catch (IllegalStateException e) {
        if (source.isClosed()) { // under way
          return null;
        }
        throw e;
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
          try {
            answer = unwatch();
          } finally {
            leave();
          }
        }
      }
      Answer.require("epoll_ctl", source.toString(), answer, "");
    }

    /** Has epoll forget the file, once: that it is closed here is not enough. */
    private int unwatch() {
      if (!watched.compareAndSet(true, false)) {
        return 0;
      }
      try {
        return epoll.remove(channel.file());
      } catch (IllegalStateException closedMeanwhile) {
        return 0; // the dispatcher, and epoll with it
      }
    }

    private void sourceCloses() {
      try {
        unwatch(); // what is refused is not watched
      } finally {
        leave();
      }
    }

    /** Leaves source and dispatcher without each other. */
    private void leave() {
      forget(this);
      channel.subscriber().end(whenSourceCloses);
    }
  }

  /**
   * Delivers the events of a source to a handler from now on. Nobody else should wait for them
   * meanwhile.
   *
   * @param <S> the kind of source: an {@link io.github.vfio4j.Interrupt}, a {@link
   *     io.github.vfio4j.iommufd.FaultQueue} or a {@link io.github.vfio4j.iommufd.VeventQueue}
   * @param <E> what the source tells
   * @param source the source
   * @param handler what to call on the dispatcher's thread; it should return soon
   * @return the registration; it ends with the source, with the dispatcher, when the source cannot
   *     be read, or when it is closed
   * @throws IllegalArgumentException if the source is not one of this library
   * @throws DeviceBusyException if the source has a handler already
   * @throws IllegalStateException if the source or the dispatcher is closed
   * @throws VfioException if the kernel refuses, or has ended the dispatcher by a failure, which is
   *     the cause
   */
  public <S extends EventSource<E>, E> Registration register(
      S source, EventHandler<? super S, E> handler) throws VfioException {
    if (!(source instanceof EventChannel.Source<?>)) {
      throw new IllegalArgumentException("not a source of events of this library: " + source);
    }
    @SuppressWarnings("unchecked") // a source has the channel of its own events
    EventChannel<E> channel = ((EventChannel.Source<E>) source).channel();
    return register(
        source,
        channel,
        () -> {
          E event = channel.take();
          return event == null ? null : () -> handler.onEvent(source, event);
        });
  }

  private synchronized Registration register(
      EventSource<?> source, EventChannel<?> channel, Arrivals arrivals) throws VfioException {
    if (closed) {
      throw new IllegalStateException(NAME + " is closed");
    }
    if (failure != null) {
      VfioException ended =
          new VfioException("register", source.toString(), null, "the " + NAME + " has ended");
      ended.initCause(failure);
      throw ended;
    }
    int token = freeToken();
    Registration registration = new Registration(source, channel, arrivals, token);
    try (Rollback rollback = new Rollback()) {
      rollback.add(registration::leave);
      channel.subscriber().begin(source, registration.whenSourceCloses);
      registrations[token] = registration;
      Answer.require("epoll_ctl", source.toString(), epoll.add(channel.file(), token), "");
      if (!registration.watched.get()) { // the source was told to close before epoll knew of it
        epoll.remove(channel.file());
        throw new IllegalStateException(source + " is closed");
      }
      return rollback.done(registration);
    }
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
  }

  private void run() {
    try {
      dispatch();
    } catch (Throwable e) {
      end(e);
      report(e);
    }
  }

  /** Lets sources be registered elsewhere, as nobody will look at them here. */
  private synchronized void end(Throwable cause) {
    failure = cause;
    leaveSources();
  }

  private synchronized void leaveSources() {
    for (Registration registration : registrations) {
      if (registration != null) {
        registration.leave();
      }
    }
  }

  private void dispatch() throws VfioException {
    while (!closed) {
      int ready = epoll.await();
      if (ready != -EINTR) {
        Answer.require("epoll_wait", NAME, ready, "no more events");
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
    try {
      thread.getUncaughtExceptionHandler().uncaughtException(thread, thrown);
    } catch (Throwable e) {
      if (!thrown.equals(e)) {
        thrown.addSuppressed(e);
      }
      thrown.printStackTrace();
    }
  }

  /**
   * Ends all deliveries and the thread; the sources themselves stay as they are. When it returns,
   * no handler is running, unless it is a handler that calls. Later calls wait for that, and do
   * nothing else.
   *
   * @throws VfioException if the kernel refuses; all that could be closed is closed
   */
  @Override
  public void close() throws VfioException {
    synchronized (this) {
      if (!closed) {
        closed = true;
        wake.signal();
      }
    }
    if (thread != Thread.currentThread()) {
      ThreadEnd.await(thread);
    }
    release();
  }

  /** Leaves all sources and closes the files, once. */
  private synchronized void release() throws VfioException {
    if (released) {
      return;
    }
    released = true;
    leaveSources();
    Closing closing = new Closing();
    closing.attempt(() -> Answer.require("close", "wake of the " + NAME, wake.close(), ""));
    closing.attempt(() -> Answer.require("close", "epoll of the " + NAME, epoll.close(), ""));
    closing.rethrow();
  }

  /** Returns that it is a dispatcher, and whether it is closed. */
  @Override
  public String toString() {
    return closed ? NAME + ", closed" : NAME;
  }
}
