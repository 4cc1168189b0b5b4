package io.github.vfio4j.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where devices are mapped, when several are at once. */
class DeviceMappingTest {
  private static final int THREADS = 8;
  private static final int MAPPINGS = 100;
  private static final long SIZE = 1 << 20;

  private final int device = LinuxKernel.INSTANCE.memfdCreate("stands for a device", 0);

  /** Lets the others run when a place has been found, which they find then, too. */
  private final Kernel kernel =
      (Kernel)
          Proxy.newProxyInstance(
              Kernel.class.getClassLoader(),
              new Class<?>[] {Kernel.class},
              (proxy, method, arguments) -> {
                Object answer = method.invoke(LinuxKernel.INSTANCE, arguments);
                if (method.getName().equals("munmap")) {
                  Thread.sleep(0, 100_000);
                }
                return answer;
              });

  @AfterEach
  void close() {
    LinuxKernel.INSTANCE.close(device);
  }

  private boolean mapAll() {
    List<DeviceMapping> mapped = new ArrayList<>();
    for (int i = 0; i < MAPPINGS; i++) {
      DeviceMapping mapping = new DeviceMapping(kernel, SIZE, true, true);
      if (mapping.map(device, 0) != null) {
        return false;
      }
      mapped.add(mapping);
    }
    mapped.forEach(mapping -> assertThat(mapping.close()).isNull());
    return true;
  }

  @Test
  void threadsThatMapAtOnceDoNotTakeEachOthersPlaces()
      throws InterruptedException, ExecutionException {
    LinuxKernel.INSTANCE.ftruncate(device, SIZE);
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      List<Future<Boolean>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        all.add(threads.submit(this::mapAll));
      }
      for (Future<Boolean> one : all) {
        assertThat(one.get()).isTrue();
      }
    }
  }
}
