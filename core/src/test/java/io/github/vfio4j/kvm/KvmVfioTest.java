package io.github.vfio4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.Containers;
import io.github.vfio4j.container.Group;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.UnboundDevice;
import io.github.vfio4j.iommufd.UnboundDevices;
import io.github.vfio4j.linux.Ioctl;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A virtual machine knows a device while it is open, and nobody's file is held any longer. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KvmVfioTest {
  private static final String KNOWN = "a FakeDevice in a machine";
  private static final String GROUP_KNOWN = "a FakeGroup in a machine";

  @TempDir Path root;
  private FakeMachine host;
  private TestVm monitor;
  private List<String> before;
  private KvmVm machine;
  private KvmVfio devices;

  @BeforeEach
  void start() throws VfioException {
    host = new FakeMachine(root);
    monitor = new TestVm(host);
    before = host.kernel.leftOpen();
    machine = monitor.open();
    devices = machine.createVfio();
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    machine.close();
    assertThat(host.kernel.leftOpen()).isEqualTo(before);
    monitor.close();
  }

  private UnboundDevice node() throws VfioException {
    return UnboundDevices.open(host.host, host.device());
  }

  @Test
  void aDeviceIsKnownUntilItIsClosed() throws VfioException {
    try (Iommufd iommufd = Iommufd.open(host.host)) {
      UnboundDevice node = node();
      KvmVfioFile entry = devices.add(node);
      assertThat(entry).hasToString(host.device().name() + " in devices of a machine");
      CdevDevice device = iommufd.bind(node);
      assertThat(host.kernel.leftOpen()).contains(KNOWN);
      host.kernel.log().clear();

      device.close();

      assertThat(host.kernel.log()).contains("KVM_SET_DEVICE_ATTR");
      assertThat(host.kernel.leftOpen()).doesNotContain(KNOWN);
      entry.close();
    }
  }

  @Test
  void anEntryEndsOnceAndLeavesItsSuccessor() throws VfioException {
    try (UnboundDevice node = node()) {
      List<String> open = host.kernel.leftOpen();
      KvmVfioFile entry = devices.add(node);
      assertThatExceptionOfType(DeviceBusyException.class)
          .isThrownBy(() -> devices.add(node))
          .withMessageContaining("the machine has it already");
      entry.close();
      assertThat(host.kernel.leftOpen()).isEqualTo(open);

      devices.add(node);
      entry.close();

      assertThat(host.kernel.leftOpen()).contains(KNOWN);
    }
    assertThat(host.kernel.leftOpen()).doesNotContain(KNOWN);
  }

  @Test
  void whateverFailsNothingIsKnown() throws Exception {
    try (UnboundDevice node = node()) {
      monitor.assertUndone(() -> devices.add(node), 2);
    }
    try (Container container = Containers.open(host.host)) {
      Group group = container.group(FakeMachine.GROUP);
      monitor.assertUndone(() -> devices.add(group), 2);
    }
    devices.close();
    monitor.assertUndone(machine::createVfio, 1);
  }

  @Test
  void refusalsSayWhatTheyMean() throws VfioException {
    assertThatExceptionOfType(DeviceBusyException.class)
        .isThrownBy(machine::createVfio)
        .withMessage("KVM_CREATE_DEVICE on a machine: EBUSY: it has one already");
    devices.close();
    host.kernel.fail(Ioctl.KVM_CREATE_DEVICE, Errno.ENODEV);
    assertThatExceptionOfType(UnsupportedByKernelException.class)
        .isThrownBy(machine::createVfio)
        .withMessageContaining("CONFIG_KVM_VFIO");
    host.kernel.fail(Ioctl.KVM_CREATE_DEVICE, Errno.EIO);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(machine::createVfio)
        .withMessageContaining("EIO: the machine was made by another process");
    host.kernel.failNoMore();
    devices = machine.createVfio();
    try (UnboundDevice node = node()) {
      List<String> open = host.kernel.leftOpen();
      host.kernel.fail(Ioctl.KVM_SET_DEVICE_ATTR, Errno.EINVAL);
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> devices.add(node))
          .withMessageContaining("takes groups alone here");
      assertThat(host.kernel.leftOpen()).isEqualTo(open);
      host.kernel.failNoMore();
    }
  }

  @Test
  void whatTheKernelDoesNotLetGoOfIsTriedAgain() throws VfioException {
    try (UnboundDevice node = node()) {
      List<String> open = host.kernel.leftOpen();
      KvmVfioFile entry = devices.add(node);
      List<String> known = host.kernel.leftOpen();
      host.kernel.fail(Ioctl.KVM_SET_DEVICE_ATTR, Errno.EIO);

      assertThatExceptionOfType(VfioException.class).isThrownBy(entry::close);

      assertThat(host.kernel.leftOpen()).isEqualTo(known);
      host.kernel.failNoMore();
      entry.close();
      assertThat(host.kernel.leftOpen()).isEqualTo(open);
    }
  }

  @Test
  void theNodeOfADeviceTriesAgainToo() throws VfioException {
    List<String> open = host.kernel.leftOpen();
    UnboundDevice node = node();
    devices.add(node);
    host.kernel.fail(Ioctl.KVM_SET_DEVICE_ATTR, Errno.EIO);
    assertThatExceptionOfType(VfioException.class).isThrownBy(node::close);
    assertThat(host.kernel.leftOpen()).contains(KNOWN);

    host.kernel.failNoMore();
    node.close();

    assertThat(host.kernel.leftOpen()).isEqualTo(open);
  }

  @Test
  void whatTheKernelDoesNotLetGoOfEndsWithTheFile() throws VfioException {
    try (UnboundDevice node = node()) {
      KvmVfioFile entry = devices.add(node);
      host.kernel.fail(Ioctl.KVM_SET_DEVICE_ATTR, Errno.EIO);

      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(devices::close)
          .withMessageContaining("EIO");

      assertThat(host.kernel.leftOpen()).doesNotContain(KNOWN);
      devices.close();
      entry.close();
      assertThatIllegalStateException().isThrownBy(() -> devices.add(node));
      host.kernel.failNoMore();
    }
  }

  @Test
  void aDeviceThatIsDrivenIsNotAddedAnyMore() throws VfioException {
    try (Container container = Containers.open(host.host)) {
      Group group = container.group(FakeMachine.GROUP);
      devices.add(group);
      container.openDevice(host.device());
      assertThatIllegalStateException()
          .isThrownBy(() -> devices.add(group))
          .withMessageContaining("is open already; what is to know of it before comes before");
      assertThat(host.kernel.leftOpen()).contains(GROUP_KNOWN);
    }
    assertThat(host.kernel.leftOpen()).doesNotContain(GROUP_KNOWN);
  }

  @Test
  void whicheverOwnerIsClosedMeanwhileEndsWhatIsBeingAdded() throws Exception {
    UnboundDevice node = node();
    monitor.makeWhileClosing(Ioctl.KVM_SET_DEVICE_ATTR, () -> devices.add(node), devices::close);
    assertThat(host.kernel.leftOpen()).doesNotContain(KNOWN);

    KvmVfio second = machine.createVfio();
    monitor.makeWhileClosing(Ioctl.KVM_SET_DEVICE_ATTR, () -> second.add(node), node::close);
    assertThat(host.kernel.leftOpen()).doesNotContain(KNOWN);

    Container container = Containers.open(host.host);
    Group group = container.group(FakeMachine.GROUP);
    monitor.makeWhileClosing(Ioctl.KVM_SET_DEVICE_ATTR, () -> second.add(group), container::close);
    assertThat(host.kernel.leftOpen()).doesNotContain(GROUP_KNOWN);

    UnboundDevice last = node();
    monitor.makeWhileClosing(Ioctl.KVM_SET_DEVICE_ATTR, () -> second.add(last), machine::close);
    last.close();
    assertThat(host.kernel.leftOpen()).isEqualTo(before);
  }
}
