package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.time.Duration;
import java.util.BitSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** A disk goes while it is written: no command is lost, and none ends twice. */
@OnMachine("intel/legacy")
@Timeout(120)
class NvmeUnplugTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration LIMIT = Duration.ofSeconds(1);
  private static final int DEPTH = 32;
  private static final int BLOCK = 512;

  @BeforeEach
  @Timeout(120)
  void plugDiskIn() throws IOException, InterruptedException {
    replaceBy("nvme,id=hot,bus=port3,serial=hot,drive=spare");
  }

  @AfterEach
  @Timeout(120)
  void plugCardIn() throws IOException, InterruptedException {
    replaceBy(HotPort.IGB);
  }

  private static void replaceBy(String device) throws IOException, InterruptedException {
    try (HotPort port = HotPort.open()) {
      if (HotPort.isOccupied()) {
        port.unplug();
        port.awaitGone();
      }
      port.plugIn(device);
    }
  }

  /** Commands that are begun over and over, and how often each has ended. */
  private static final class Writer {
    final QueuePair pair;
    final Namespace namespace;
    final DmaBuffer buffer;
    final BitSet begun = new BitSet();
    final BitSet ended = new BitSet();
    final CountDownLatch firstRound = new CountDownLatch(DEPTH);
    int aborted;

    Writer(VfioDevice device, NvmeController controller) throws VfioException {
      pair = controller.createQueuePair(DEPTH);
      namespace = controller.namespace(1);
      buffer = device.addressSpace().allocate((long) DEPTH * BLOCK);
    }

    void fill() {
      int next = begun.length();
      while (pair.write(namespace, next % DEPTH, buffer.slice(0, BLOCK), next)) {
        begun.set(next++);
      }
      pair.submit();
    }

    void ended(long tag, int status) {
      assertThat(ended.get((int) tag)).as("command %d ends twice", tag).isFalse();
      ended.set((int) tag);
      firstRound.countDown();
      if (status != 0) {
        assertThat(new NvmeStatus(status)).isEqualTo(NvmeStatus.ABORTED_BY_HOST);
        aborted++;
      }
    }

    Void untilItFails() throws VfioException {
      while (true) {
        fill();
        pair.await(this::ended, PATIENCE);
      }
    }
  }

  @EachBackend
  @SuppressWarnings("try") // closing is what is tested
  void ownerWhoIsAskedLetsGoInMidFlight(Backend backend) throws Exception {
    try (ExecutorService thread = Executors.newSingleThreadExecutor();
        DriverBinding _ = DriverBinding.bind(Sysfs.host(), HotPort.ADDRESS);
        VfioDevice device = VfioDevice.open(HotPort.ADDRESS, backend);
        NvmeController controller = NvmeController.start(device);
        Interrupt request = device.pci().request().enable(0);
        HotPort port = HotPort.open()) {
      Writer writer = new Writer(device, controller);
      Future<Void> writing = thread.submit(writer::untilItFails);
      assertThat(writer.firstRound.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();

      port.unplug();
      assertThat(request.await(PATIENCE)).isPositive();
      assertThat(writing.isDone()).isFalse();
      device.close();

      assertThatThrownBy(writing::get)
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(IllegalStateException.class);
      assertThat(writer.ended.cardinality()).isBetween(DEPTH, writer.begun.cardinality());
      controller.close();
      port.awaitGone();
      assertThat(HotPort.isOccupied()).isFalse();
    }
  }

  /** Nobody is asked: from one moment to the next it reaches no memory, and nobody reaches it. */
  @EachBackend
  void allThatIsUnderWayEndsWhenNobodyReachesTheDevice(Backend backend) throws IOException {
    try (DriverBinding _ = DriverBinding.bind(Sysfs.host(), HotPort.ADDRESS);
        VfioDevice device = VfioDevice.open(HotPort.ADDRESS, backend);
        NvmeController controller = NvmeController.start(device)) {
      Writer writer = new Writer(device, controller);
      for (int i = 0; i < 100; i++) {
        writer.fill();
        writer.pair.await(writer::ended, PATIENCE);
      }
      writer.pair.drain(writer::ended, PATIENCE);
      device.pci().config().setBusMaster(false);
      writer.fill();
      device.pci().config().setMemoryEnabled(false);

      assertThatThrownBy(() -> writer.pair.drain(writer::ended, LIMIT))
          .isInstanceOf(NoSuchDeviceException.class);
      assertThat(writer.pair.outstanding()).isZero();
      assertThat(writer.ended).isEqualTo(writer.begun);
      assertThat(writer.aborted).isEqualTo(DEPTH);
      assertThatThrownBy(controller::reset).isInstanceOf(NoSuchDeviceException.class);

      device.pci().config().setMemoryEnabled(true);
      controller.reset();
      assertThat(writer.pair.poll(writer::ended)).as("all were told of").isZero();
      writer.fill();
      writer.pair.drain(writer::ended, PATIENCE);
      assertThat(writer.ended).isEqualTo(writer.begun);
      assertThat(writer.aborted).as("it works again").isEqualTo(DEPTH);
    }
  }
}
