package io.github.vfio4j.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What closing needs is there before anything is mapped, once for all. */
class StandInTest {
  private static final int EMFILE = 24;
  private static final long PAGE = 4096;

  private final StandIn standIn = new StandIn();
  private final List<String> calls = new ArrayList<>();
  private String refused = "";
  private int fd = -1;

  private final Kernel kernel =
      (Kernel)
          Proxy.newProxyInstance(
              Kernel.class.getClassLoader(),
              new Class<?>[] {Kernel.class},
              (proxy, method, arguments) -> {
                calls.add(method.getName());
                if (method.getName().equals(refused)) {
                  return -EMFILE;
                }
                Object answer = answer(method, arguments);
                if (method.getName().equals("memfdCreate")) {
                  fd = (int) answer;
                }
                return answer;
              });

  private static Object answer(Method method, Object[] arguments)
      throws IllegalAccessException, InvocationTargetException {
    return method.invoke(LinuxKernel.INSTANCE, arguments);
  }

  @AfterEach
  void close() {
    LinuxKernel.INSTANCE.close(fd);
  }

  @Test
  void oneFileServesAllMappingsAndGrowsWithThem() {
    assertThat(standIn.prepare(kernel, 2 * PAGE)).isNull();
    assertThat(standIn.prepare(kernel, PAGE)).isNull();
    assertThat(standIn.prepare(kernel, 4 * PAGE)).isNull();

    assertThat(calls).containsExactly("memfdCreate", "ftruncate", "ftruncate");
  }

  @Test
  void whatCannotBeHadIsToldAndHadLater() {
    refused = "memfdCreate";
    assertThat(standIn.prepare(kernel, PAGE)).isEqualTo(new Refusal("memfd_create", -EMFILE));
    refused = "ftruncate";
    assertThat(standIn.prepare(kernel, PAGE)).isEqualTo(new Refusal("ftruncate", -EMFILE));
    refused = "";
    assertThat(standIn.prepare(kernel, PAGE)).isNull();
    assertThat(calls).containsExactly("memfdCreate", "memfdCreate", "ftruncate", "ftruncate");
  }

  @Test
  void takingThePlaceOfAMappingNeedsOneCall() {
    assertThat(standIn.prepare(kernel, 2 * PAGE)).isNull();
    long address = LinuxKernel.INSTANCE.mmap(0, 2 * PAGE, 0, 0x22, -1, 0);
    calls.clear();

    assertThat(standIn.replace(kernel, address, 2 * PAGE)).isNull();

    assertThat(calls).containsExactly("mmap");
    int base = (int) (address / Mmio.ALIGNMENT);
    long last = address % Mmio.ALIGNMENT + 2 * PAGE - 4;
    Mmio.setInt(base, last, 42);
    assertThat(Mmio.getInt(base, last)).isEqualTo(42);
    LinuxKernel.INSTANCE.munmap(address, 2 * PAGE);
  }
}
