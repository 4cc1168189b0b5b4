package io.github.vfio4j.cli.host;

import java.lang.module.ModuleDescriptor;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
public final class Version implements IVersionProvider {

  @Override
  public String[] getVersion() {
    ModuleDescriptor descriptor = Version.class.getModule().getDescriptor();
    String version =
        descriptor == null ? "(unpackaged)" : descriptor.rawVersion().orElse("(unpackaged)");
    return new String[] {"vfio4j " + version, platform()};
  }

  /** The kernel and the virtual machine that it runs on. */
  public static String platform() {
    return "Linux %s, %s, Java %s"
        .formatted(
            System.getProperty("os.version"),
            System.getProperty("os.arch"),
            System.getProperty("java.version"));
  }
}
