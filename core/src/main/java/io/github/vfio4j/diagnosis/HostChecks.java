package io.github.vfio4j.diagnosis;

import static io.github.vfio4j.diagnosis.Finding.failed;
import static io.github.vfio4j.diagnosis.Finding.ok;
import static io.github.vfio4j.diagnosis.Finding.skipped;
import static io.github.vfio4j.diagnosis.Finding.warning;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.opening.HostFiles;
import io.github.vfio4j.opening.Isolation;
import io.github.vfio4j.sysfs.IommuGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The conditions that no device can be opened without. */
final class HostChecks {

  private static final List<String> CDEV_OPTIONS =
      List.of("CONFIG_IOMMUFD", "CONFIG_VFIO_DEVICE_CDEV");

  private final HostFiles files;
  private final Processor processor;
  private final Optional<KernelConfig> config;
  private final List<IommuGroup> groups;

  HostChecks(HostFiles files) throws VfioException {
    this.files = files;
    this.processor = Processor.of(files);
    this.config = KernelConfig.find(files);
    this.groups = files.sysfs().groups();
  }

  List<Finding> findings() throws VfioException {
    List<Finding> findings = new ArrayList<>();
    findings.add(kernelOptions());
    findings.add(vfioPci());
    findings.addAll(interfaces());
    findings.add(iommu());
    findings.add(isolatedMsi());
    findings.add(MemlockCheck.finding(files));
    return findings;
  }

  private Finding kernelOptions() {
    String check = "kernel options";
    if (config.isEmpty()) {
      return skipped(
          check,
          "neither /proc/config.gz nor /boot/config-%s can be read; the next lines show what works"
              .formatted(KernelConfig.release(files)));
    }
    KernelConfig kernel = config.get();
    for (String option : List.of("CONFIG_VFIO", "CONFIG_VFIO_PCI", processor.option)) {
      if (!kernel.has(option)) {
        return failed(check, missing(kernel, option), "use a kernel built with " + option);
      }
    }
    if (kernel.hasAll(CDEV_OPTIONS)) {
      return ok(check, "all that VFIO needs, by " + kernel.source());
    }
    String fix = "for cdev and iommufd use a kernel built with " + String.join(", ", CDEV_OPTIONS);
    for (String option : CDEV_OPTIONS) {
      if (!kernel.has(option)) {
        return kernel.has("CONFIG_VFIO_IOMMU_TYPE1")
            ? warning(check, missing(kernel, option) + ", so legacy VFIO only", fix)
            : failed(check, missing(kernel, option) + ", nor CONFIG_VFIO_IOMMU_TYPE1", fix);
      }
    }
    throw new AssertionError(CDEV_OPTIONS);
  }

  private static String missing(KernelConfig kernel, String option) {
    return kernel.source() + " lacks " + option;
  }

  private Finding vfioPci() {
    String check = "vfio-pci driver";
    return files.exists("sys/bus/pci/drivers/vfio-pci")
        ? ok(check, "loaded")
        : failed(check, "not loaded", "modprobe vfio-pci");
  }

  private List<Finding> interfaces() throws VfioException {
    NodeCheck iommufd = NodeCheck.of("iommufd", files, files.sysfs().iommufd());
    NodeCheck container = NodeCheck.of("legacy container", files, files.sysfs().container());
    return List.of(
        iommufd.finding(container, "modprobe iommufd, or use a kernel built with CONFIG_IOMMUFD"),
        container.finding(iommufd, "modprobe vfio_iommu_type1"));
  }

  private Finding iommu() {
    String check = "IOMMU";
    List<String> units = files.names("sys/class/iommu");
    long guarded = groups.stream().filter(group -> !group.noIommu()).count();
    if (guarded > 0) {
      return ok(
          check,
          "on, with %d groups%s"
              .formatted(guarded, units.isEmpty() ? "" : ": " + String.join(", ", units)));
    }
    if (files.allowsNoIommu()) {
      return failed(
          check,
          "none, and VFIO's no-IOMMU mode is on: a device can reach all of the host's memory,"
              + " so it is opened by none but who asks for that",
          processor.fix);
    }
    return failed(check, whyNoGroups(), processor.fix);
  }

  private String whyNoGroups() {
    List<String> words = commandLine();
    for (String word : List.of("iommu=off", processor.offWord)) {
      if (words.contains(word)) {
        return "no groups, for the kernel's command line says " + word;
      }
    }
    if (processor.table.isEmpty() || !files.exists("sys/firmware/acpi/tables")) {
      return "the kernel has made no groups";
    }
    return files.exists("sys/firmware/acpi/tables/" + processor.table)
        ? "no groups, though the firmware announces an IOMMU (table " + processor.table + ")"
        : "no groups, for the firmware announces no IOMMU (no table " + processor.table + ")";
  }

  private Finding isolatedMsi() {
    String check = "isolated MSI";
    if (groups.stream().allMatch(IommuGroup::noIommu)) {
      return skipped(check, "there is no IOMMU");
    }
    return switch (Isolation.of(files)) {
      case YES ->
          files.text("proc/interrupts").orElse("").contains("IR-")
              ? ok(check, "/proc/interrupts shows remapped interrupts (IR-)")
              : ok(check, "/proc/interrupts shows a GIC with ITS, which isolates them");
      case NO -> unsafeInterrupts(check);
      case UNKNOWN ->
          skipped(check, "nothing shows it here; if it fails, opening a device answers EPERM");
    };
  }

  private Finding unsafeInterrupts(String check) {
    if (!files.showsModules()) {
      return skipped(
          check,
          "no interrupt in /proc/interrupts is remapped (IR-), and /sys/module does not show"
              + " whether that is allowed; if it is not, opening a device answers EPERM");
    }
    List<String> allowed =
        Stream.of(HostFiles.IOMMUFD, HostFiles.CONTAINER)
            .filter(files::allowsUnsafeInterrupts)
            .toList();
    return allowed.isEmpty()
        ? failed(
            check,
            "no interrupt in /proc/interrupts is remapped (IR-), so the kernel will answer EPERM",
            "turn interrupt remapping on in the firmware and boot without nointremap, intremap=off")
        : warning(
            check,
            "no sign of interrupt remapping, but allow_unsafe_interrupts of "
                + String.join(" and ", allowed)
                + " is on: a device can forge interrupts",
            "turn interrupt remapping on in the firmware");
  }

  private List<String> commandLine() {
    return List.of(files.text("proc/cmdline").orElse("").split("\\s+", -1));
  }
}
