package io.github.vfio4j.architecture;

import java.io.IOException;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** What users of a module can name: each type and member of the packages that it exports. */
final class PublicApi {
  private static final Set<String> EVERY_OBJECT_HAS = Set.of("equals", "hashCode", "toString");
  private static final Set<String> EVERY_ENUM_HAS = Set.of("values", "valueOf");

  private PublicApi() {}

  /** Returns a line for each, sorted. */
  static List<String> of(String module) throws IOException {
    Path classes = Build.classes(module);
    Set<String> exports = Build.exports(module);
    try (Stream<Path> files = Files.walk(classes)) {
      return files
          .map(file -> classes.relativize(file).toString())
          .filter(file -> file.endsWith(".class") && !file.endsWith("-info.class"))
          .map(file -> load(file.replace(".class", "").replace('/', '.')))
          .filter(type -> exports.contains(type.getPackageName()) && isVisible(type))
          .flatMap(PublicApi::lines)
          .sorted()
          .toList();
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name, false, PublicApi.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean isVisible(Class<?> type) {
    Class<?> around = type.getDeclaringClass();
    return isVisible(type.getModifiers()) && (around == null || isVisible(around));
  }

  private static boolean isVisible(int modifiers) {
    return (modifiers & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0;
  }

  private static Stream<String> lines(Class<?> type) {
    String name = TypeText.of(type);
    return Stream.concat(
        Stream.of(name + " " + JavaText.header(type)),
        members(type).map(member -> name + ": " + member));
  }

  private static Stream<String> members(Class<?> type) {
    return Stream.of(
            Stream.of(type.getDeclaredFields()).filter(PublicApi::isListed).map(JavaText::of),
            Stream.of(type.getDeclaredConstructors()).filter(PublicApi::isListed).map(JavaText::of),
            Stream.of(type.getDeclaredMethods())
                .filter(method -> isListed(method) && !isImplied(method))
                .map(JavaText::of))
        .flatMap(texts -> texts);
  }

  private static boolean isListed(Member member) {
    return isVisible(member.getModifiers()) && !member.isSynthetic();
  }

  private static boolean isImplied(Method method) {
    return EVERY_OBJECT_HAS.contains(method.getName())
        || (method.getDeclaringClass().isEnum() && EVERY_ENUM_HAS.contains(method.getName()));
  }
}
