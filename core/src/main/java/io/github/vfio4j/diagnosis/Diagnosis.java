package io.github.vfio4j.diagnosis;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.diagnosis.Finding.Status;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.ArrayList;
import java.util.List;

/**
 * Every condition between this user and an open device, checked in the order in which they matter.
 *
 * <p>Only files are read: no device is opened, nothing is changed, no native call is made.
 *
 * @param findings the conditions of the host, then those of the device, if one was asked about
 */
public record Diagnosis(List<Finding> findings) {

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
    return new Diagnosis(new HostChecks(new HostFiles(sysfs)).findings());
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
    List<Finding> findings = new ArrayList<>(new HostChecks(files).findings());
    findings.addAll(new DeviceChecks(files, device).findings());
    return new Diagnosis(findings);
  }

  /** {@return whether no condition failed} */
  public boolean isReady() {
    return findings.stream().noneMatch(finding -> finding.status() == Status.FAILED);
  }
}
