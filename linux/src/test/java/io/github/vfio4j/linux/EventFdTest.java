package io.github.vfio4j.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An eventfd that somebody else reads, too, as KVM does. */
@Timeout(value = 20, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EventFdTest {
  private final CountDownLatch waits = new CountDownLatch(1);

  /** Whatever is signalled, somebody else has taken. */
  private final Kernel kernel =
      (Kernel)
          Proxy.newProxyInstance(
              Kernel.class.getClassLoader(),
              new Class<?>[] {Kernel.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("write")) {
                  return 8L;
                }
                if (method.getName().equals("repeatablePoll")) {
                  waits.countDown();
                }
                return method.invoke(LinuxKernel.INSTANCE, arguments);
              });

  @Test
  void closingWakesWhoeverWaitsAllTheSame() throws InterruptedException {
    EventFd event = new EventFd(kernel, "shared");
    assertThat(event.open()).isNotNegative();
    CompletableFuture<Long> waiter = CompletableFuture.supplyAsync(() -> event.await(-1));
    waits.await();

    assertThat(event.close()).isZero();

    assertThatThrownBy(waiter::join).hasMessageContaining("shared is closed");
  }
}
