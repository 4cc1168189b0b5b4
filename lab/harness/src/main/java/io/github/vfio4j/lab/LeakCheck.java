package io.github.vfio4j.lab;

import java.util.List;
import org.jspecify.annotations.Nullable;
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

  /** What the last test left, which is what the next one of its class finds: looking takes time. */
  private @Nullable OpenHandles left;

  /** Made by JUnit, through {@link OnMachine}. */
  public LeakCheck() {}

  @Override
  public void beforeAll(ExtensionContext context) {
    left = null;
    remember(context, OpenHandles.now());
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    remember(context, left == null ? OpenHandles.now() : left);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    left = OpenHandles.now();
    check(context, left);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    left = null;
    check(context, OpenHandles.now());
  }

  private static void remember(ExtensionContext context, OpenHandles before) {
    context.getStore(NAMESPACE).put(context.getUniqueId(), before);
  }

  private static void check(ExtensionContext context, OpenHandles now) {
    OpenHandles before = context.getStore(NAMESPACE).get(context.getUniqueId(), OpenHandles.class);
    if (before == null) {
      return; // its set-up failed before ours
    }
    List<String> leaks = now.since(before);
    if (!leaks.isEmpty()) {
      throw new AssertionError("left open: " + String.join("; ", leaks));
    }
  }
}
