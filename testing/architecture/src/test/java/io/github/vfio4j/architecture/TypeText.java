package io.github.vfio4j.architecture;

import static java.util.stream.Collectors.joining;

import java.lang.reflect.AnnotatedArrayType;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.AnnotatedWildcardType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Types as Java's sources have them, with {@code @Nullable}. */
final class TypeText {
  private static final String OURS = "io.github.vfio4j.";

  private TypeText() {}

  /** Returns a type's name, of which only the packages of this project are a part. */
  static String of(Class<?> type) {
    String name = type.getTypeName().replace('$', '.');
    String left = name.startsWith(OURS) ? OURS : type.getPackageName() + ".";
    return name.startsWith(left) ? name.substring(left.length()) : name;
  }

  /** Returns a type where it is used. */
  static String of(AnnotatedType type) {
    boolean nullable = type.isAnnotationPresent(Nullable.class);
    if (type instanceof AnnotatedArrayType array) {
      return of(array.getAnnotatedGenericComponentType()) + (nullable ? " @Nullable []" : "[]");
    }
    String text =
        switch (type) {
          case AnnotatedParameterizedType generic ->
              raw(generic.getType())
                  + all(generic.getAnnotatedActualTypeArguments()).collect(joining(", ", "<", ">"));
          case AnnotatedWildcardType wildcard ->
              "?"
                  + bounds(" super ", wildcard.getAnnotatedLowerBounds())
                  + bounds(" extends ", wildcard.getAnnotatedUpperBounds());
          default -> raw(type.getType());
        };
    return nullable ? "@Nullable " + text : text;
  }

  /** Returns each of these types. */
  static Stream<String> all(AnnotatedType[] types) {
    return Stream.of(types).map(TypeText::of);
  }

  /**
   * Returns the declarations of type parameters, in angle brackets; nothing where there are none.
   */
  static String parameters(TypeVariable<?>[] parameters) {
    return Stream.of(parameters)
        .map(parameter -> parameter + bounds(" extends ", parameter.getAnnotatedBounds()))
        .reduce((first, second) -> first + ", " + second)
        .map(text -> "<" + text + ">")
        .orElse("");
  }

  private static String raw(Type type) {
    return switch (type) {
      case Class<?> plain -> of(plain);
      case ParameterizedType generic -> raw(generic.getRawType());
      default -> type.getTypeName();
    };
  }

  private static String bounds(String word, AnnotatedType[] bounds) {
    return all(bounds)
        .filter(bound -> !bound.equals("Object"))
        .reduce((first, second) -> first + " & " + second)
        .map(word::concat)
        .orElse("");
  }
}
