package io.github.vfio4j.kerneltests.random;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.ThrowsTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** Which exceptions the javadoc of a method names, read from the sources. */
final class Documented {
  private final List<Path> roots;
  private final Map<Class<?>, Map<String, Set<String>>> types = new HashMap<>();

  /** Looks below these directories of sources. */
  Documented(Path... roots) {
    this.roots = List.of(roots);
  }

  /**
   * Whether an exception is one that a method, or one that it overrides, is documented to throw, or
   * that the description of its type speaks of.
   */
  boolean includes(Executable call, Class<? extends Throwable> thrown) throws IOException {
    for (Class<?> type : withSupertypes(call.getDeclaringClass())) {
      Map<String, Set<String>> documented = types.get(type);
      if (documented == null) {
        documented = read(type);
        types.put(type, documented);
      }
      Set<String> names = new HashSet<>(documented.getOrDefault(signature(call), Set.of()));
      names.addAll(documented.getOrDefault("", Set.of()));
      for (Class<?> kind = thrown; kind != Throwable.class; kind = kind.getSuperclass()) {
        if (names.contains(kind.getSimpleName())) {
          return true;
        }
      }
    }
    return false;
  }

  private static Set<Class<?>> withSupertypes(Class<?> type) {
    Set<Class<?>> all = new HashSet<>(Set.of(type));
    Stream.concat(Stream.ofNullable(type.getSuperclass()), Arrays.stream(type.getInterfaces()))
        .forEach(parent -> all.addAll(withSupertypes(parent)));
    return all;
  }

  private static String signature(Executable call) {
    String name = call instanceof Constructor<?> ? "<init>" : call.getName();
    return Arrays.stream(call.getGenericParameterTypes())
        .map(Type::getTypeName)
        .map(Documented::simple)
        .collect(Collectors.joining(",", name + "(", ")"));
  }

  /** Without packages, outer types, type arguments and annotations; a varargs is an array. */
  private static String simple(String type) {
    return type.replaceAll("<.*>", "")
        .replace("...", "[]")
        .replaceAll("@\\S+ ", "")
        .replaceAll(".*[.$]", "");
  }

  private Map<String, Set<String>> read(Class<?> type) throws IOException {
    Class<?> outermost = type;
    while (outermost.getDeclaringClass() != null) {
      outermost = outermost.getDeclaringClass();
    }
    String file = outermost.getName().replace('.', '/') + ".java";
    Optional<Path> source =
        roots.stream().map(root -> root.resolve(file)).filter(Files::exists).findFirst();
    Map<String, Set<String>> documented = new HashMap<>();
    if (source.isPresent()) {
      JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler());
      try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
        JavacTask task =
            (JavacTask)
                compiler.getTask(
                    null,
                    files,
                    null,
                    List.of("-proc:none"),
                    null,
                    files.getJavaFileObjects(source.get()));
        for (CompilationUnitTree unit : task.parse()) {
          new Reader(DocTrees.instance(task), type.getSimpleName(), documented).scan(unit, null);
        }
      }
    }
    return documented;
  }

  /** Collects the tags of one type's methods. */
  private static final class Reader extends TreePathScanner<Void, Void> {
    private final DocTrees docs;
    private final String type;
    private final Map<String, Set<String>> documented;

    Reader(DocTrees docs, String type, Map<String, Set<String>> documented) {
      this.docs = docs;
      this.type = type;
      this.documented = documented;
    }

    @Override
    public @Nullable Void visitClass(ClassTree tree, @Nullable Void unused) {
      if (tree.getSimpleName().contentEquals(type)) {
        DocCommentTree comment = docs.getDocCommentTree(getCurrentPath());
        if (comment != null) {
          Set<String> words =
              Arrays.stream(comment.toString().split("\\W+", -1)).collect(Collectors.toSet());
          documented.put("", words);
        }
        for (Tree member : tree.getMembers()) {
          if (member instanceof MethodTree method) {
            add(method, new TreePath(getCurrentPath(), member));
          }
        }
      }
      return super.visitClass(tree, null);
    }

    private void add(MethodTree method, TreePath path) {
      DocCommentTree comment = docs.getDocCommentTree(path);
      if (comment == null) {
        return;
      }
      String signature =
          method.getParameters().stream()
              .map(VariableTree::getType)
              .map(Tree::toString)
              .map(Documented::simple)
              .collect(Collectors.joining(",", method.getName() + "(", ")"));
      Set<String> names = new HashSet<>();
      for (DocTree tag : comment.getBlockTags()) {
        if (tag instanceof ThrowsTree thrown) {
          names.add(simple(thrown.getExceptionName().toString()));
        }
      }
      documented.put(signature, names);
    }
  }
}
