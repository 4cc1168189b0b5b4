package io.github.vfio4j.diagnosis;

import io.github.vfio4j.opening.HostFiles;
import java.util.Optional;

/** Whose processor this is, which decides whose IOMMU there can be. */
enum Processor {
  INTEL(
      "CONFIG_INTEL_IOMMU",
      "DMAR",
      "intel_iommu=off",
      "turn VT-d on in the firmware and boot with intel_iommu=on"),
  AMD("CONFIG_AMD_IOMMU", "IVRS", "amd_iommu=off", "turn the IOMMU (AMD-Vi) on in the firmware"),
  ARM(
      "CONFIG_ARM_SMMU_V3",
      "IORT",
      "iommu=off",
      "the firmware must describe an SMMU, and the kernel have its driver"),
  OTHER("CONFIG_IOMMU_SUPPORT", "", "iommu=off", "turn the IOMMU on in the firmware");

  /** The kernel option of its IOMMU's driver. */
  final String option;

  /** The ACPI table by which the firmware announces its IOMMU. */
  final String table;

  /** The word on the kernel's command line that turns its IOMMU off, besides iommu=off. */
  final String offWord;

  /** What to do when there is no IOMMU. */
  final String fix;

  Processor(String option, String table, String offWord, String fix) {
    this.option = option;
    this.table = table;
    this.offWord = offWord;
    this.fix = fix;
  }

  static Processor of(HostFiles files) {
    Optional<String> text = files.text("proc/cpuinfo");
    String cpuinfo = text.orElse("");
    if (cpuinfo.contains("GenuineIntel")) {
      return INTEL;
    }
    if (cpuinfo.contains("AuthenticAMD") || cpuinfo.contains("HygonGenuine")) {
      return AMD;
    }
    return cpuinfo.contains("CPU implementer") ? ARM : OTHER;
  }
}
