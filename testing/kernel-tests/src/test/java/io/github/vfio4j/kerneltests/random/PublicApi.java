package io.github.vfio4j.kerneltests.random;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.lang.reflect.AccessFlag;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a user of modules can call: the public methods and constructors of the public types in their
 * packages that are exported to everybody.
 *
 * @param types the public types
 * @param calls their methods and constructors, in an order that does not change
 */
record PublicApi(Set<Class<?>> types, List<Executable> calls) {

  /** Reads the modules that some of their types come from. */
  static PublicApi of(Class<?>... samples) {
    Set<Class<?>> types = new HashSet<>();
    for (Class<?> sample : samples) {
      types.addAll(exported(sample));
    }
    List<Executable> calls = new ArrayList<>();
    for (Class<?> type : types) {
      if (!Throwable.class.isAssignableFrom(type)) {
        Stream.<Executable>concat(
                Arrays.stream(type.getDeclaredMethods()).filter(PublicApi::isForUsers),
                Modifier.isAbstract(type.getModifiers())
                    ? Stream.of()
                    : Arrays.stream(type.getDeclaredConstructors()))
            .filter(call -> Modifier.isPublic(call.getModifiers()))
            .filter(call -> canBeNamed(call, types))
            .forEach(calls::add);
      }
    }
    calls.sort(Comparator.comparing(Executable::toGenericString));
    return new PublicApi(Set.copyOf(types), List.copyOf(calls));
  }

  /** A method of an enum or record that has no text of ours is the compiler's. */
  private static boolean isForUsers(Method method) {
    return !method.accessFlags().contains(AccessFlag.SYNTHETIC)
        && !(method.getDeclaringClass().isEnum() && method.getName().startsWith("value"));
  }

  /** Some calls are for other packages of the library: they speak of types not exported. */
  private static boolean canBeNamed(Executable call, Set<Class<?>> types) {
    return Stream.concat(
            Arrays.stream(call.getParameterTypes()),
            call instanceof Method method ? Stream.of(method.getReturnType()) : Stream.of())
        .map(type -> type.isArray() ? type.getComponentType() : type)
        .allMatch(
            type ->
                type.isPrimitive()
                    || types.contains(type)
                    || type.getPackageName().startsWith("java."));
  }

  private static List<Class<?>> exported(Class<?> sample) {
    ModuleReference module =
        ModuleFinder.of(home(sample)).findAll().stream().findFirst().orElseThrow();
    Set<String> packages = new HashSet<>();
    module.descriptor().exports().stream()
        .filter(exported -> !exported.isQualified())
        .forEach(exported -> packages.add(exported.source()));
    try (var reader = module.open();
        Stream<String> files = reader.list()) {
      return files
          .filter(file -> file.endsWith(".class") && !file.endsWith("-info.class"))
          .map(file -> file.substring(0, file.length() - ".class".length()).replace('/', '.'))
          .filter(name -> packages.contains(name.substring(0, name.lastIndexOf('.'))))
          .<Class<?>>map(PublicApi::load)
          .filter(PublicApi::isPublic)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path home(Class<?> sample) {
    CodeSource source = Objects.requireNonNull(sample.getProtectionDomain().getCodeSource());
    try {
      return Path.of(source.getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean isPublic(Class<?> type) {
    Class<?> outer = type.getDeclaringClass();
    return Modifier.isPublic(type.getModifiers()) && (outer == null || isPublic(outer));
  }
}
