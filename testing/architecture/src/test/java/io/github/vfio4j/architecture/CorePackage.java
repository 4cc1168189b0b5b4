package io.github.vfio4j.architecture;

import static io.github.vfio4j.architecture.Layer.BINDINGS;
import static io.github.vfio4j.architecture.Layer.LINUX;

import java.util.List;
import java.util.Locale;

/** The packages of core, from the bottom. */
enum CorePackage implements Part {
  ROOT,
  OUTCOME,
  RECORDING,
  CHANNEL,
  MAPPING,
  DEVICE,
  FEATURE,
  MIGRATION,
  SYSFS,
  CONFIG,
  PCI,
  OPENING,
  TAKEOVER,
  DIAGNOSIS,
  IOMMUFD,
  CONTAINER,
  DMABUF,
  GRAPHICS,
  HANDOVER,
  EXEC,
  KVM,
  EVENT,
  SMMUV3,
  VTD,
  AMD,
  ENTRY;

  /** Returns what a package uses besides itself, of this project. */
  List<Part> uses() {
    return switch (this) {
      case ROOT -> List.of(BINDINGS, LINUX);
      case OUTCOME, CHANNEL -> List.of(LINUX, ROOT);
      case RECORDING -> List.of(ROOT);
      case MAPPING -> List.of(LINUX, ROOT, OUTCOME, RECORDING, CHANNEL);
      case DEVICE -> List.of(BINDINGS, LINUX, ROOT, OUTCOME, RECORDING, CHANNEL);
      case FEATURE -> List.of(BINDINGS, ROOT, DEVICE);
      case MIGRATION -> List.of(BINDINGS, LINUX, ROOT, OUTCOME, DEVICE, FEATURE);
      case SYSFS -> List.of(LINUX, ROOT, OUTCOME);
      case CONFIG -> List.of(BINDINGS, ROOT, SYSFS);
      case PCI ->
          List.of(BINDINGS, LINUX, ROOT, OUTCOME, RECORDING, CHANNEL, DEVICE, FEATURE, SYSFS);
      case DIAGNOSIS -> List.of(ROOT, SYSFS, OPENING);
      case TAKEOVER -> List.of(LINUX, ROOT);
      case OPENING -> List.of(LINUX, ROOT, OUTCOME, SYSFS);
      case IOMMUFD ->
          List.of(
              BINDINGS, LINUX, ROOT, OUTCOME, CHANNEL, MAPPING, DEVICE, SYSFS, OPENING, TAKEOVER);
      case CONTAINER ->
          List.of(
              BINDINGS, LINUX, ROOT, OUTCOME, CHANNEL, MAPPING, DEVICE, SYSFS, OPENING, IOMMUFD);
      case DMABUF ->
          List.of(BINDINGS, LINUX, ROOT, OUTCOME, MAPPING, DEVICE, FEATURE, IOMMUFD, CONTAINER);
      case GRAPHICS -> List.of(BINDINGS, LINUX, ROOT, OUTCOME, CHANNEL, DEVICE, DMABUF);
      case HANDOVER ->
          List.of(LINUX, ROOT, OUTCOME, CHANNEL, DEVICE, SYSFS, PCI, OPENING, TAKEOVER, IOMMUFD);
      case EXEC -> List.of(LINUX, ROOT, OUTCOME);
      case KVM ->
          List.of(
              BINDINGS, LINUX, ROOT, OUTCOME, CHANNEL, DEVICE, PCI, OPENING, IOMMUFD, CONTAINER);
      case EVENT -> List.of(LINUX, ROOT, OUTCOME, CHANNEL);
      case SMMUV3, VTD, AMD -> List.of(BINDINGS, IOMMUFD);
      case ENTRY -> List.of(ROOT, OUTCOME, RECORDING, DEVICE, SYSFS, OPENING, IOMMUFD, CONTAINER);
    };
  }

  /** Returns the package's name. */
  String fullName() {
    String root = "io.github.vfio4j";
    return this == ROOT ? root : root + "." + name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String[] packages() {
    return new String[] {fullName()};
  }
}
