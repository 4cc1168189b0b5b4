package io.github.vfio4j.architecture;

import static java.util.stream.Collectors.joining;

import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.GenericDeclaration;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.stream.Stream;

/** Declarations as Java's sources have them, without what is the same for all that is public. */
final class JavaText {
  private static final int MODIFIERS =
      Modifier.PROTECTED | Modifier.ABSTRACT | Modifier.STATIC | Modifier.FINAL;

  private JavaText() {}

  /** Returns all of a type's declaration but its name. */
  static String header(Class<?> type) {
    return kind(type)
        + TypeText.parameters(type.getTypeParameters())
        + components(type)
        + after(" extends ", superclass(type))
        + after(
            type.isInterface() ? " extends " : " implements ",
            TypeText.all(type.getAnnotatedInterfaces()))
        + after(" permits ", permitted(type));
  }

  /** Returns a field's declaration. */
  static String of(Field field) {
    return modifiers(field.getModifiers())
        + TypeText.of(field.getAnnotatedType())
        + " "
        + field.getName();
  }

  /** Returns a constructor's declaration. */
  static String of(Constructor<?> constructor) {
    return modifiers(constructor.getModifiers())
        + typeParameters(constructor)
        + constructor.getDeclaringClass().getSimpleName()
        + parameters(constructor);
  }

  /** Returns a method's declaration. */
  static String of(Method method) {
    int implied = method.getDeclaringClass().isInterface() ? Modifier.ABSTRACT : 0;
    return (method.isDefault() ? "default " : "")
        + modifiers(method.getModifiers() & ~implied)
        + typeParameters(method)
        + TypeText.of(method.getAnnotatedReturnType())
        + " "
        + method.getName()
        + parameters(method);
  }

  private static String kind(Class<?> type) {
    if (type.isRecord()) {
      return "record";
    }
    if (type.isEnum()) {
      return "enum";
    }
    String sealed = type.isSealed() ? "sealed " : "";
    return type.isInterface()
        ? sealed + "interface"
        : modifiers(type.getModifiers() & ~Modifier.STATIC) + sealed + "class";
  }

  private static String components(Class<?> type) {
    return type.isRecord()
        ? Stream.of(type.getRecordComponents())
            .map(part -> TypeText.of(part.getAnnotatedType()) + " " + part.getName())
            .collect(joining(", ", "(", ")"))
        : "";
  }

  private static Stream<String> superclass(Class<?> type) {
    Class<?> superclass = type.getSuperclass();
    boolean implied =
        superclass == null || superclass == Object.class || type.isEnum() || type.isRecord();
    return implied ? Stream.of() : Stream.of(TypeText.of(type.getAnnotatedSuperclass()));
  }

  private static Stream<String> permitted(Class<?> type) {
    return type.isSealed()
        ? Stream.of(type.getPermittedSubclasses()).map(TypeText::of)
        : Stream.of();
  }

  private static String modifiers(int modifiers) {
    String text = Modifier.toString(modifiers & MODIFIERS);
    return text.isEmpty() ? "" : text + " ";
  }

  private static String typeParameters(GenericDeclaration declaration) {
    String parameters = TypeText.parameters(declaration.getTypeParameters());
    return parameters.isEmpty() ? "" : parameters + " ";
  }

  private static String parameters(Executable executable) {
    String parameters =
        TypeText.all(executable.getAnnotatedParameterTypes()).collect(joining(", ", "(", ")"));
    return (executable.isVarArgs() ? parameters.replace("[])", "...)") : parameters)
        + after(" throws ", TypeText.all(executable.getAnnotatedExceptionTypes()));
  }

  private static String after(String word, Stream<String> texts) {
    String text = texts.collect(joining(", "));
    return text.isEmpty() ? "" : word + text;
  }
}
