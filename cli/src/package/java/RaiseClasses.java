import java.io.IOException;
import java.io.OutputStream;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassElement;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Rewrites the classes of a jar that are older than Java 6 as Java 8 has them, with the frames that
 * let the virtual machine verify them ahead of time: older ones it would not keep in its start-up
 * cache. It is run with the jar on its class path.
 */
final class RaiseClasses {

  private static final ClassTransform NEW_VERSION =
      ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL)
          .andThen(RaiseClasses::version);

  private final ClassFile classFile =
      ClassFile.of(
          StackMapsOption.GENERATE_STACK_MAPS,
          ClassHierarchyResolverOption.of(
              ClassHierarchyResolver.ofResourceParsing(RaiseClasses.class.getClassLoader())));

  private int raised;

  /** The only argument is the jar. */
  public static void main(String[] arguments) throws IOException {
    Path jar = Path.of(arguments[0]);
    Path raised = Path.of(jar + ".raised");
    var classes = new RaiseClasses();
    classes.copy(jar, raised);
    if (classes.raised > 0) {
      Files.move(raised, jar, StandardCopyOption.REPLACE_EXISTING);
    } else {
      Files.delete(raised); // an earlier build did it: the start-up cache was made for that very file
    }
  }

  private void copy(Path from, Path to) throws IOException {
    try (JarFile jar = new JarFile(from.toFile());
        OutputStream file = Files.newOutputStream(to);
        JarOutputStream out = new JarOutputStream(file)) {
      for (JarEntry entry : Collections.list(jar.entries())) {
        byte[] content = jar.getInputStream(entry).readAllBytes();
        JarEntry copy = new JarEntry(entry.getName());
        copy.setTimeLocal(entry.getTimeLocal());
        out.putNextEntry(copy);
        out.write(entry.getName().endsWith(".class") ? raise(content) : content);
      }
    }
  }

  private byte[] raise(byte[] content) {
    ClassModel model = classFile.parse(content);
    if (model.majorVersion() >= ClassFile.JAVA_6_VERSION) {
      return content;
    }
    raised++;
    return classFile.transformClass(model, NEW_VERSION);
  }

  private static void version(ClassBuilder builder, ClassElement element) {
    builder.with(
        element instanceof ClassFileVersion
            ? ClassFileVersion.of(ClassFile.JAVA_8_VERSION, 0)
            : element);
  }
}
