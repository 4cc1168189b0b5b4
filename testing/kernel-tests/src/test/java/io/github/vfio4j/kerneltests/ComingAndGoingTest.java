package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A device stays listed while what belongs to its driver comes and goes. */
@OnMachine(OnMachine.IOMMU)
class ComingAndGoingTest {

  private final Sysfs sysfs = Sysfs.host();
  private final AtomicBoolean done = new AtomicBoolean();

  @Test
  void aDeviceIsReadWhileItIsBoundAndUnbound()
      throws VfioException, InterruptedException, ExecutionException {
    try (ExecutorService readers = Executors.newFixedThreadPool(3)) {
      List<Future<Integer>> readings =
          List.of(
              readers.submit(() -> again(this::device)),
              readers.submit(() -> again(this::lists)),
              readers.submit(() -> again(this::diagnosis)));
      try {
        for (int round = 0; round < 20; round++) {
          DriverBinding.bind(sysfs, Machine.EDU);
          DriverBinding.unbind(sysfs, Machine.EDU);
        }
      } finally {
        done.set(true);
      }
      for (Future<Integer> reading : readings) {
        assertThat(reading.get()).isPositive();
      }
    }
  }

  private void device() throws VfioException {
    assertThat(sysfs.device(Machine.EDU).name()).isEqualTo(Machine.EDU.toString());
  }

  private void lists() throws VfioException {
    assertThat(sysfs.devices()).extracting(HostDevice::name).contains(Machine.EDU.toString());
    assertThat(sysfs.groups())
        .flatExtracting(IommuGroup::members)
        .extracting(IommuGroup.Member::name)
        .contains(Machine.EDU.toString());
  }

  private void diagnosis() throws VfioException {
    assertThat(Diagnosis.of(sysfs, sysfs.device(Machine.EDU)).findings()).isNotEmpty();
  }

  private int again(Reading reading) throws VfioException {
    int readings = 0;
    while (!done.get()) {
      reading.read();
      readings++;
    }
    return readings;
  }

  private interface Reading {
    void read() throws VfioException;
  }
}
