package io.github.vfio4j.generator;

import javax.lang.model.SourceVersion;

/** The Java name of a C name: the same, with an underscore added to what Java reserves. */
final class JavaName {
  private JavaName() {}

  static String of(String name) {
    return SourceVersion.isKeyword(name) ? name + "_" : name;
  }
}
