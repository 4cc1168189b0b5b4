package io.github.vfio4j.kerneltests.random;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.kerneltests.random.Values.HandlerFailure;
import io.github.vfio4j.kerneltests.random.Values.NoValueException;
import io.github.vfio4j.lab.OpenHandles;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Calls anything that is public with any arguments, from several threads at once, on objects that
 * they share. Nothing may come of it but what the javadoc says.
 */
final class RandomCalls {
  /** Longer than the library waits for the kernel at most, on a slow machine. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final String HANGS = "hangs: ";

  /** Takes a descriptor of somebody else's, which a number at random may well be. */
  private static final Set<String> EXCLUDED = Set.of("ofFd", "bindPassed");

  /** Their sizes are what a machine could try to obey. */
  private static final Set<String> ALLOCATING =
      Set.of("allocate", "allocateHuge", "create", "createHuge", "DirtyBitmap");

  private final Pool pool = new Pool();
  private final Outcomes outcomes = new Outcomes();
  private final List<Throwable> unhandled = new ArrayList<>();
  private final List<PciAddress> devices;
  private final List<Executable> calls;
  private final long seed;
  private volatile boolean done;

  /**
   * Prepares calls.
   *
   * @param devices what may be bound and opened
   * @param seed where the threads' random numbers start; the same seed does not mean the same
   *     course, as the threads race
   */
  RandomCalls(List<PciAddress> devices, long seed) {
    this.devices = List.copyOf(devices);
    this.seed = seed;
    this.calls =
        PublicApi.of(VfioDevice.class, Edu.class).calls().stream()
            .filter(call -> !EXCLUDED.contains(call.getName()))
            .filter(call -> !takesDescriptor(call))
            .flatMap(call -> Collections.nCopies(weight(call), call).stream())
            .toList();
  }

  private static boolean takesDescriptor(Executable call) {
    return call.getName().equals("mapFile") && call.getParameterTypes()[0] == int.class;
  }

  /** What only reads a value, takes long, or leaves less to call is called less often. */
  private static int weight(Executable call) {
    String room = call.getDeclaringClass().getPackageName();
    if (call.getName().equals("close")
        || call.getDeclaringClass().isRecord()
        || room.endsWith(".edu") // waits for interrupts that another thread has taken
        || room.endsWith(".sysfs")
        || room.endsWith(".diagnosis")) {
      return 1;
    }
    return call.getParameterCount() == 0 && call.getExceptionTypes().length == 0 ? 2 : 12;
  }

  /**
   * Calls for a while, with the devices bound to a VFIO driver at first and given back at the end.
   *
   * @param time for how long
   * @param most how many calls are enough
   * @param threads how many at a time
   * @return what was wrong
   */
  List<String> run(Duration time, long most, int threads) throws InterruptedException, IOException {
    Sysfs sysfs = Sysfs.host();
    List<MediatedDevice> mediated = sysfs.mediatedDevices();
    for (PciAddress device : devices) {
      DriverBinding.bind(sysfs, device);
    }
    List<String> wrong = call(time, most, threads);
    if (wrong.stream().anyMatch(line -> line.startsWith(HANGS))) {
      return wrong; // what hangs may keep a lock
    }
    for (MediatedDevice device : sysfs.mediatedDevices()) {
      if (!mediated.contains(device)) {
        sysfs.remove(device);
      }
    }
    for (PciAddress address : devices) {
      PciDevice device = sysfs.device(address);
      if (device.driver().isEmpty() || device.hasVfioDriver()) {
        DriverBinding.unbind(sysfs, address);
      }
    }
    return wrong;
  }

  private List<String> call(Duration time, long most, int threads)
      throws InterruptedException, IOException {
    List<String> wrong = new ArrayList<>();
    var before = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((_, thrown) -> unhandled(thrown));
    try (Arena arena = Arena.ofShared()) {
      Values values = new Values(pool, devices, arena);
      List<Caller> callers = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        callers.add(new Caller(values, new SplittableRandom(seed + i)));
      }
      callers.forEach(Thread::start);
      long end = System.nanoTime() + time.toNanos();
      while (System.nanoTime() < end
          && outcomes.calls() < most
          && callers.stream().allMatch(Thread::isAlive)) {
        Thread.sleep(100);
      }
      done = true;
      for (Caller caller : callers) {
        caller.join(PATIENCE.toMillis());
        if (caller.isAlive()) {
          wrong.add(HANGS + caller.hanging());
        }
      }
      if (!wrong.isEmpty()) {
        return wrong;
      }
      pool.closeAll().forEach(refusal -> wrong.add("cannot be closed: " + trace(refusal)));
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(before);
    }
    Documented documented =
        new Documented(Path.of("core/src/main/java"), Path.of("drivers/edu/src/main/java"));
    outcomes.undocumented(documented).forEach(found -> wrong.add(found + trace(found.thrown())));
    synchronized (unhandled) {
      unhandled.forEach(thrown -> wrong.add("unhandled: " + trace(thrown)));
    }
    return wrong;
  }

  Outcomes outcomes() {
    return outcomes;
  }

  private void unhandled(Throwable thrown) {
    synchronized (unhandled) {
      if (!(thrown instanceof HandlerFailure) && unhandled.size() < 20) {
        unhandled.add(thrown);
      }
    }
  }

  private static String trace(Throwable thrown) {
    var text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  /** One of the threads. */
  private final class Caller extends Thread {
    private final Values values;
    private final RandomGenerator random;
    private volatile @Nullable Executable current;

    Caller(Values values, RandomGenerator random) {
      this.values = values;
      this.random = random;
      setDaemon(true);
    }

    String hanging() {
      var text = new StringBuilder(Outcomes.name(current));
      for (Map.Entry<Thread, StackTraceElement[]> thread : getAllStackTraces().entrySet()) {
        text.append("\n  ").append(thread.getKey());
        for (StackTraceElement frame : thread.getValue()) {
          text.append("\n    at ").append(frame);
        }
      }
      return text.toString();
    }

    @Override
    public void run() {
      while (!done) {
        Executable call = calls.get(random.nextInt(calls.size()));
        try {
          call(call);
        } catch (NoValueException e) {
          // another call makes what this one needs
        }
      }
    }

    private void call(Executable call) {
      boolean isStatic = call instanceof Constructor || Modifier.isStatic(call.getModifiers());
      @Nullable Object receiver =
          isStatic
              ? null
              : pool.any(call.getDeclaringClass(), random).orElseThrow(NoValueException::new);
      Object[] arguments = arguments(call);
      current = call;
      Object result;
      try {
        result =
            switch (call) {
              case Constructor<?> constructor -> constructor.newInstance(arguments);
              case Method method -> method.invoke(receiver, arguments);
            };
      } catch (InvocationTargetException e) {
        outcomes.failed(call, e.getCause());
        return;
      } catch (IllegalAccessException | InstantiationException e) {
        throw new LinkageError(call.toString(), e);
      }
      outcomes.succeeded(call);
      if (call.getName().equals("close") && random.nextInt(4) > 0) {
        pool.forget((AutoCloseable) receiver);
      }
      keep(result);
    }

    private Object[] arguments(Executable call) {
      Parameter[] parameters = call.getParameters();
      Object[] arguments = new Object[parameters.length];
      boolean allocating =
          ALLOCATING.contains(call.getName())
              || ALLOCATING.contains(call.getDeclaringClass().getSimpleName());
      for (int i = 0; i < parameters.length; i++) {
        arguments[i] = values.of(parameters[i], random);
        if (arguments[i] instanceof Long number) {
          boolean large = number > 1 << 21 && number < 1L << 52;
          if (call.getName().equals("awaitNanos")) {
            arguments[i] = number % 20_000_000;
          } else if (allocating && large) {
            arguments[i] = 1L << 16;
          }
        }
      }
      return arguments;
    }

    private void keep(@Nullable Object result) {
      switch (result) {
        case null -> {}
        case Collection<?> several -> several.forEach(this::keep);
        case Optional<?> one -> one.ifPresent(this::keep);
        case Object one when isOurs(one) -> pool.add(one).ifPresent(this::close);
        default -> {}
      }
    }

    /** What names a device that the machine needs is not for other calls. */
    private boolean isOurs(Object object) {
      return object.getClass().getName().startsWith("io.github.vfio4j.")
          && switch (object) {
            case PciAddress _ -> false;
            case PciDevice device -> values.allows(device.address());
            case MediatedDevice _ -> true;
            case HostDevice _ -> false;
            default -> true;
          };
    }

    private void close(AutoCloseable evicted) {
      try {
        pool.close(evicted);
      } catch (VfioException e) {
        // it is in use, and closed in the end
      } catch (Exception e) {
        unhandled(e);
      }
    }
  }

  /**
   * Calls for as long as somebody wants to look for faults, and prints what came of it.
   *
   * @param arguments for how many seconds, how many calls are enough, from how many threads, the
   *     seed, and addresses of devices
   */
  public static void main(String[] arguments) throws Exception {
    List<PciAddress> devices = Arrays.stream(arguments).skip(4).map(PciAddress::of).toList();
    OpenHandles before = OpenHandles.now();
    RandomCalls calls = new RandomCalls(devices, Long.parseLong(arguments[3]));
    List<String> wrong =
        calls.run(
            Duration.ofSeconds(Long.parseLong(arguments[0])),
            Long.parseLong(arguments[1]),
            Integer.parseInt(arguments[2]));
    OpenHandles.now().since(before).forEach(left -> wrong.add("left open: " + left));
    calls.outcomes().table().forEach(System.out::println);
    wrong.forEach(System.out::println);
    System.out.printf(
        "%d calls of %d methods, %d of which succeeded; %d things are wrong%n",
        calls.outcomes().calls(),
        Set.copyOf(calls.calls).size(),
        calls.outcomes().successful(),
        wrong.size());
    System.exit(wrong.isEmpty() ? 0 : 1);
  }
}
