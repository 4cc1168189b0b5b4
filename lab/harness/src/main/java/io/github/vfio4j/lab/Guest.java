package io.github.vfio4j.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.engine.support.descriptor.MethodSource;

/**
 * A running machine of the lab.
 *
 * @param machine its name, with the variant if it has any, as in {@code intel/scalable}
 * @param kernel the kernel that it runs
 */
public record Guest(String machine, KernelRelease kernel) {
  /**
   * The machine that this code runs in.
   *
   * @return the machine
   * @throws IllegalStateException outside of the lab
   */
  public static Guest current() {
    String machine = System.getenv("LAB_MACHINE");
    if (machine == null) {
      throw new IllegalStateException("this is no machine of the lab: LAB_MACHINE is not set");
    }
    try {
      String release = Files.readString(Path.of("/proc/sys/kernel/osrelease"));
      return new Guest(machine, KernelRelease.parse(release.strip()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Whether this machine and its kernel are what a test needs.
   *
   * @param needs what the test is marked with
   * @return whether it can run here
   */
  public boolean meets(OnMachine needs) {
    boolean suits =
        needs.value().length == 0
            ? !machine.equals(OnMachine.TRAINING)
            : Arrays.stream(needs.value()).anyMatch(this::isCalled);
    return suits
        && (needs.since().isEmpty() || kernel.compareTo(KernelRelease.parse(needs.since())) >= 0)
        && (needs.before().isEmpty() || kernel.compareTo(KernelRelease.parse(needs.before())) < 0);
  }

  /** Whether this machine and its kernel are what a test and the classes around it need. */
  boolean meets(MethodSource test) {
    var needs = new ArrayList<OnMachine>();
    AnnotationSupport.findAnnotation(test.getJavaMethod(), OnMachine.class).ifPresent(needs::add);
    for (Class<?> type = test.getJavaClass(); type != null; type = type.getEnclosingClass()) {
      AnnotationSupport.findAnnotation(type, OnMachine.class).ifPresent(needs::add);
    }
    return needs.stream().allMatch(this::meets);
  }

  private boolean isCalled(String name) {
    if (name.equals(OnMachine.IOMMU)) {
      return !machine.equals("bare") && !machine.equals(OnMachine.TRAINING);
    }
    return machine.equals(name) || machine.startsWith(name + "/");
  }
}
