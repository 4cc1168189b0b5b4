package io.github.vfio4j.diagnosis;

import io.github.vfio4j.Backend;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.diagnosis.Finding.Status;
import io.github.vfio4j.opening.HostFiles;
import io.github.vfio4j.opening.Obstacle;
import io.github.vfio4j.opening.Way;
import io.github.vfio4j.opening.Ways;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Every condition between this user and an open device, checked in the order in which they matter.
 *
 * <p>No device is asked anything and nothing is changed: files are read, and nodes are opened and
 * closed again. No native call is made.
 *
 * @param findings the conditions of the host, then those of the device, if one was asked about
 * @param way the interface that {@link io.github.vfio4j.VfioDevice#open} would take; empty where
 *     the device cannot be opened, or none was asked about
 */
public record Diagnosis(List<Finding> findings, Optional<Backend> way) {

  /** Copies the list. */
  public Diagnosis {
    findings = List.copyOf(findings);
  }

  /**
   * Checks a host.
   *
   * @param sysfs the host
   * @return what was found
   * @throws VfioException if sysfs cannot be read
   */
  public static Diagnosis of(Sysfs sysfs) throws VfioException {
    return new Diagnosis(new HostChecks(new HostFiles(sysfs)).findings(), Optional.empty());
  }

  /**
   * Checks a host and one of its devices.
   *
   * @param sysfs the host
   * @param device the device, as it was read from there just now
   * @return what was found
   * @throws io.github.vfio4j.NoSuchDeviceException if the device goes away meanwhile
   * @throws VfioException if sysfs cannot be read
   */
  public static Diagnosis of(Sysfs sysfs, HostDevice device) throws VfioException {
    return of(new HostFiles(sysfs), device);
  }

  static Diagnosis of(HostFiles files, HostDevice device) throws VfioException {
    Ways ways = Ways.to(files, device);
    List<Way> both = List.of(ways.iommufd(), ways.container());
    Optional<Backend> way = both.stream().filter(Way::isWhole).map(Way::backend).findFirst();
    List<Finding> findings = new ArrayList<>(new HostChecks(files).findings());
    findings.addAll(new DeviceChecks(files, device, ways.group()).findings());
    if (way.isPresent()) { // what failed stands in no way that is needed
      findings.replaceAll(Finding::lessThanFailed);
    }
    both.forEach(judged -> findings.add(finding(judged, way.isPresent())));
    return new Diagnosis(findings, way);
  }

  /**
   * Says what first keeps a device from being opened, without a look at the host.
   *
   * @param sysfs the host
   * @param device the device, as it was read from there just now
   * @return the condition that is not met; empty where the device can be opened
   * @throws io.github.vfio4j.NoSuchDeviceException if the device goes away meanwhile
   * @throws VfioException if sysfs cannot be read
   */
  public static Optional<Finding> obstacle(Sysfs sysfs, HostDevice device) throws VfioException {
    Ways ways = Ways.to(new HostFiles(sysfs), device);
    Way iommufd = ways.iommufd();
    Way container = ways.container();
    return iommufd.isWhole() || container.isWhole()
        ? Optional.empty()
        : Optional.of(finding(device.cdev().isPresent() ? iommufd : container, false));
  }

  private static Finding finding(Way way, boolean otherIsWhole) {
    String check = "open by " + way.backend();
    if (way.isWhole()) {
      return Finding.ok(check, "nothing stands in the way");
    }
    Obstacle first = way.obstacles().getFirst();
    return otherIsWhole
        ? Finding.warning(check, first.seen(), first.fix())
        : Finding.failed(check, first.seen(), first.fix());
  }

  /**
   * {@return whether a device can be opened: the one that was asked about, else any, as far as the
   * host is concerned}
   */
  public boolean isReady() {
    return way.isPresent()
        || findings.stream().noneMatch(finding -> finding.status() == Status.FAILED);
  }
}
