package io.github.vfio4j.kerneltests.random;

import io.github.vfio4j.EventSource;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.event.EventHandler;
import io.github.vfio4j.sysfs.Sysfs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Array;
import java.lang.reflect.Parameter;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Arguments, of which some make sense. No number is one that a machine of the lab could obey. */
final class Values {
  private static final long PAGE = 4096;
  private static final long[] NUMBERS = {
    0,
    1,
    2,
    3,
    4,
    8,
    16,
    64,
    511,
    PAGE - 1,
    PAGE,
    2 * PAGE,
    16 * PAGE,
    1 << 20,
    1L << 21,
    0xfee00000L,
    1L << 32,
    1L << 47,
    (1L << 47) - PAGE,
    1L << 52,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1,
    -PAGE
  };
  private static final List<String> TEXTS =
      List.of("", "name", "a/b", "0000:00:05.0", "vfio0", "\u001b[31m", "x".repeat(300), "%s", "ü");

  private final Pool pool;
  private final List<PciAddress> devices;
  private final List<MemorySegment> memory;

  /**
   * Makes values for one test.
   *
   * @param pool where objects of the library come from
   * @param devices what may be bound and opened
   * @param arena lives as long as calls are made
   */
  Values(Pool pool, List<PciAddress> devices, Arena arena) {
    this.pool = pool;
    this.devices = devices;
    MemorySegment pages = arena.allocate(64 * PAGE, PAGE);
    MemorySegment dead;
    try (Arena closed = Arena.ofShared()) {
      dead = closed.allocate(PAGE, PAGE);
    }
    this.memory =
        List.of(
            pages,
            pages.asSlice(0, PAGE),
            pages.asSlice(3 * PAGE, 2 * PAGE),
            pages.asSlice(8 * PAGE, 16 * PAGE).asReadOnly(),
            pages.asSlice(5, 40),
            pages.asSlice(PAGE, 0),
            MemorySegment.NULL,
            MemorySegment.ofArray(new byte[64]),
            MemorySegment.ofArray(new long[8]),
            Arena.ofAuto().allocate(4 * PAGE, PAGE),
            dead);
  }

  /** Whether a device may be given to a call. */
  boolean allows(PciAddress address) {
    return devices.contains(address);
  }

  /**
   * An argument for a parameter.
   *
   * @throws NoValueException if there is none of its type yet
   */
  @Nullable Object of(Parameter parameter, RandomGenerator random) {
    boolean nullable =
        Arrays.stream(parameter.getAnnotatedType().getAnnotations())
            .anyMatch(annotation -> annotation.annotationType() == Nullable.class);
    return nullable && random.nextBoolean() ? null : of(parameter.getParameterizedType(), random);
  }

  private Object of(Type type, RandomGenerator random) {
    if (type instanceof ParameterizedType generic) {
      Class<?> raw = (Class<?>) generic.getRawType();
      Type argument = generic.getActualTypeArguments()[0];
      if (raw == List.class) {
        return listOf(argument, random);
      }
      if (raw == Optional.class) {
        return random.nextBoolean() ? Optional.empty() : Optional.of(of(argument, random));
      }
      return of(raw, random);
    }
    return type instanceof Class<?> plain ? of(plain, random) : pooled(EventSource.class, random);
  }

  private List<Object> listOf(Type element, RandomGenerator random) {
    List<Object> list = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      list.add(of(element, random));
    }
    return list;
  }

  private Object of(Class<?> type, RandomGenerator random) {
    if (type == long.class || type == Long.class) {
      return number(random);
    }
    if (type == int.class || type == Integer.class) {
      return random.nextInt(8) == 0 ? (int) number(random) : random.nextInt(6);
    }
    if (type == short.class) {
      return (short) random.nextInt();
    }
    if (type == byte.class) {
      return (byte) random.nextInt();
    }
    if (type == boolean.class) {
      return random.nextBoolean();
    }
    if (type == String.class) {
      return any(TEXTS, random);
    }
    if (type == Duration.class) {
      return Duration.ofMillis(random.nextInt(-1, 20));
    }
    if (type == UUID.class) {
      return new UUID(0x4000, 0x8000000000000000L | random.nextInt(3));
    }
    if (type == Path.class) {
      return path(random);
    }
    if (type == PciAddress.class) {
      return any(devices, random);
    }
    if (type == Sysfs.class) {
      return Sysfs.host().withPatience(Duration.ofMillis(200));
    }
    if (type == MemorySegment.class) {
      return segment(random);
    }
    if (type == OptionalInt.class) {
      return random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(random.nextInt(4));
    }
    if (type == IoAddressSpace.Progress.class) {
      return IoAddressSpace.Progress.UNHEARD;
    }
    if (type == EventHandler.class) {
      return handler(random.nextInt(16) == 0);
    }
    if (type.isArray()) {
      return array(type.getComponentType(), random);
    }
    if (type.isEnum()) {
      return any(Arrays.asList(type.getEnumConstants()), random);
    }
    if (type == Object.class) {
      return "another object";
    }
    return pooled(type, random);
  }

  private Object pooled(Class<?> type, RandomGenerator random) {
    if (type.isRecord() && random.nextInt(4) == 0) {
      return record(type, random);
    }
    return pool.any(type, random).orElseThrow(NoValueException::new);
  }

  /** A record of any values that it accepts. */
  private Object record(Class<?> type, RandomGenerator random) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] values =
        Arrays.stream(components)
            .map(component -> of(component.getGenericType(), random))
            .toArray();
    try {
      return type.getConstructor(
              Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new))
          .newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new NoValueException();
    }
  }

  private static long number(RandomGenerator random) {
    return switch (random.nextInt(4)) {
      case 0 -> PAGE * random.nextInt(32);
      case 1 -> random.nextInt(256);
      default -> NUMBERS[random.nextInt(NUMBERS.length)];
    };
  }

  private MemorySegment segment(RandomGenerator random) {
    MemorySegment chosen = any(memory, random);
    if (random.nextInt(3) > 0 || chosen.byteSize() < 2 * PAGE) {
      return chosen;
    }
    long pages = chosen.byteSize() / PAGE;
    long first = random.nextLong(pages);
    return chosen.asSlice(first * PAGE, random.nextLong(pages - first + 1) * PAGE);
  }

  private Path path(RandomGenerator random) {
    String address = any(devices, random).toString();
    return Path.of(
        any(
            List.of(
                "/sys/bus/pci/devices/" + address,
                "/dev/vfio/devices/vfio" + random.nextInt(4),
                "/dev/vfio/" + random.nextInt(16),
                "/dev/null",
                "/sys",
                "/nowhere"),
            random));
  }

  private static Object array(Class<?> element, RandomGenerator random) {
    if (element == byte.class) {
      byte[] bytes = new byte[random.nextInt(9) * 8];
      random.nextBytes(bytes);
      return bytes;
    }
    int length = random.nextInt(4);
    if (element == int.class) {
      return IntStream.range(0, length).map(_ -> random.nextInt(6)).toArray();
    }
    Object array = Array.newInstance(element, length);
    for (int i = 0; i < length; i++) {
      Array.set(array, i, any(Arrays.asList(element.getEnumConstants()), random));
    }
    return array;
  }

  private static EventHandler<EventSource<Object>, Object> handler(boolean failing) {
    return (_, _) -> {
      if (failing) {
        throw new HandlerFailure();
      }
    };
  }

  private static <T> T any(List<? extends T> all, RandomGenerator random) {
    return all.get(random.nextInt(all.size()));
  }

  /** There is no object of a type yet. */
  static final class NoValueException extends RuntimeException {
    private static final long serialVersionUID = 1;

    NoValueException() {
      super(null, null, false, false);
    }
  }

  /** What a handler of a test throws. */
  static final class HandlerFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    HandlerFailure() {
      super("thrown by the handler of a test");
    }
  }
}
