package io.github.vfio4j.lab;

import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * Fails a test that leaves anything of the kernel's open: a descriptor or a mapping of a device or
 * of an anonymous file, or pinned or locked memory. It compares {@code /proc/self} before the
 * test's set-up to after its clean-up, and the same around the whole class.
 */
public final class LeakCheck
    implements BeforeAllCallback, AfterAllCallback, BeforeEachCallback, AfterEachCallback {
  private static final Namespace NAMESPACE = Namespace.create(LeakCheck.class);

  /** Made by JUnit, through {@link OnMachine}. */
  public LeakCheck() {}

  @Override
  public void beforeAll(ExtensionContext context) {
    remember(context);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    remember(context);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    check(context);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    check(context);
  }

  private static void remember(ExtensionContext context) {
    context.getStore(NAMESPACE).put(context.getUniqueId(), OpenHandles.now());
  }

  private static void check(ExtensionContext context) {
    OpenHandles before = context.getStore(NAMESPACE).get(context.getUniqueId(), OpenHandles.class);
    if (before == null) {
      return; // its set-up failed before ours
    }
    List<String> leaks = OpenHandles.now().since(before);
    if (!leaks.isEmpty()) {
      throw new AssertionError("left open: " + String.join("; ", leaks));
    }
  }
}
