package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.lab.OnMachine;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.reflect.Field;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/**
 * On each kind of processor, the layouts of the bindings are what the kernel's headers make of
 * them.
 */
@OnMachine({"smmuv3", "bare"})
class LayoutTest {
  private static final String OTHER =
      System.getProperty("os.arch").equals("aarch64") ? "/x86/" : "/arm64/";

  @Test
  void everyStructHasTheSizeAndOffsetsThatWereAudited() throws Exception {
    List<String> wrong = new ArrayList<>();
    int structs = 0;
    for (Class<?> type : bindings()) {
      if (has(type, "LAYOUT")) {
        structs++;
        GroupLayout layout = (GroupLayout) type.getField("LAYOUT").get(null);
        if (layout.byteSize() != type.getField("SIZEOF").getLong(null)) {
          wrong.add(type.getName());
        }
        for (Field field : type.getFields()) {
          String name = field.getName();
          if (name.endsWith("$OFFSET")) {
            String member = name.substring(0, name.length() - "$OFFSET".length());
            boolean right =
                has(type, member + "$MASK")
                    ? bitsFit(type, member)
                    : offset(layout, member).orElse(-1) == field.getLong(null);
            if (!right) {
              wrong.add(type.getName() + "." + member);
            }
          }
        }
      }
    }

    assertThat(wrong).isEmpty();
    assertThat(structs).isGreaterThan(100);
  }

  private static boolean has(Class<?> type, String field) {
    return List.of(type.getFields()).stream().anyMatch(each -> each.getName().equals(field));
  }

  /** All classes of the bindings but those of the other processor, initialized. */
  private static List<Class<?>> bindings() throws Exception {
    URI jar = iommufd_h.class.getProtectionDomain().getCodeSource().getLocation().toURI();
    List<Class<?>> types = new ArrayList<>();
    try (FileSystem files = FileSystems.newFileSystem(Path.of(jar));
        var paths = Files.walk(files.getPath("/io/github/vfio4j/bindings"))) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        String name = path.toString();
        if (name.endsWith(".class") && !name.contains(OTHER) && !name.contains("-info")) {
          types.add(Class.forName(name.substring(1, name.length() - 6).replace('/', '.')));
        }
      }
    }
    return types;
  }

  /** A bit-field is in no layout; it has to be within the struct. */
  private static boolean bitsFit(Class<?> type, String member) throws Exception {
    long first =
        8 * type.getField(member + "$OFFSET").getLong(null)
            + type.getField(member + "$SHIFT").getInt(null);
    long mask = ((Number) type.getField(member + "$MASK").get(null)).longValue();
    return first + Long.bitCount(mask) <= 8 * type.getField("SIZEOF").getLong(null);
  }

  /** Where a member is; those of an unnamed struct or union count as the outer one's. */
  private static OptionalLong offset(GroupLayout layout, String name) {
    long offset = 0;
    for (MemoryLayout member : layout.memberLayouts()) {
      if (member.name().isPresent() && member.name().get().equals(name)) {
        return OptionalLong.of(offset);
      }
      if (member.name().isEmpty() && member instanceof GroupLayout inner) {
        OptionalLong found = offset(inner, name);
        if (found.isPresent()) {
          return OptionalLong.of(offset + found.getAsLong());
        }
      }
      if (layout instanceof StructLayout) {
        offset += member.byteSize();
      }
    }
    return OptionalLong.empty();
  }
}
