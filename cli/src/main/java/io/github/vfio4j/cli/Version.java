package io.github.vfio4j.cli;

import java.lang.module.ModuleDescriptor;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
final class Version implements IVersionProvider {

  @Override
  public String[] getVersion() {
    ModuleDescriptor descriptor = Vfio4j.class.getModule().getDescriptor();
    String version =
        descriptor == null ? "(unpackaged)" : descriptor.rawVersion().orElse("(unpackaged)");
    return new String[] {"vfio4j " + version, platform()};
  }

  /** The kernel and the virtual machine that it runs on. */
  static String platform() {
    return "Linux %s, %s, Java %s"
        .formatted(
            System.getProperty("os.version"),
            System.getProperty("os.arch"),
            System.getProperty("java.version"));
  }
}
