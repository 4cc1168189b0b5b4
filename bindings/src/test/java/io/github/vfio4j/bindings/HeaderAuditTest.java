package io.github.vfio4j.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whether the bindings say what the kernel's headers say, and all of it; GCC is the judge. */
@EnabledIfEnvironmentVariable(
    named = "VFIO4J_KERNEL_HEADERS",
    matches = ".+",
    disabledReason = "needs the kernel's headers: lab/test brings them")
class HeaderAuditTest {

  private static final Path HEADERS =
      Path.of(System.getenv().getOrDefault("VFIO4J_KERNEL_HEADERS", ""));

  @BeforeAll
  static void theHeadersAreOfTheKernelThatIsBound() throws IOException {
    String version = Files.readString(HEADERS.resolve("linux/version.h"));
    String[] bound = vfio_h.KERNEL_VERSION.split("\\.", -1);
    assumeTrue(
        version.contains("LINUX_VERSION_MAJOR " + bound[0] + "\n")
            && version.contains("LINUX_VERSION_PATCHLEVEL " + bound[1] + "\n"),
        "the headers are of another kernel than the bindings: run lab/bindings");
  }

  @ParameterizedTest
  @EnumSource
  void everyNumberIsThatOfTheHeaders(AuditedTarget target) {
    List<Class<?>> classes = BoundClasses.all().stream().filter(target::has).toList();
    assertThat(complaints(target, classes)).isEmpty();
  }

  @ParameterizedTest
  @MethodSource
  void aWrongNumberIsCaught(Class<?> wrong, String complaint) {
    assertThat(complaints(AuditedTarget.X86, List.of(wrong))).contains(complaint);
  }

  static Stream<Object[]> aWrongNumberIsCaught() {
    return Stream.of(
        new Object[] {WrongOffset.vfio_group_status.class, "offset of"},
        new Object[] {WrongSize.vfio_group_status.class, "size of"},
        new Object[] {WrongAlignment.vfio_group_status.class, "alignment of"},
        new Object[] {WrongElement.vfio_irq_set.class, "vfio_irq_set.data"},
        new Object[] {WrongBits.kvm_ioapic_state.class, "place of"},
        new Object[] {WrongNumber.class, "VFIO_TYPE1_IOMMU"},
        new Object[] {WrongIoctl.class, "VFIO_GET_API_VERSION"},
        new Object[] {WrongKvmIoctl.class, "KVM_GET_CLOCK"},
        new Object[] {WrongLong.class, "KVM_REG_ARM64"},
        new Object[] {WrongSign.class, "KVM_VM_TYPE_ARM_PROTECTED"},
        new Object[] {WrongString.class, "VFIO_DEVICE_API_PCI_STRING"},
        new Object[] {NoSuchName.class, "VFIO_NO_SUCH_NAME"});
  }

  @Test
  void theNamesOfAHeaderAreAllRead() {
    HeaderNames names = new HeaderNames(new CCompiler(AuditedTarget.X86, HEADERS), "linux/vfio.h");
    assertThat(names.constants())
        .contains("VFIO_API_VERSION", "VFIO_DEVICE_API_AP_STRING", "VFIO_IOMMU_SPAPR_TCE_REMOVE")
        .contains("VFIO_PCI_BAR0_REGION_INDEX", "VFIO_PCI_NUM_IRQS", "VFIO_DEVICE_STATE_NR");
    assertThat(names.fields().get("vfio_pci_dependent_device"))
        .containsExactly("group_id", "devid", "segment", "bus", "devfn");
    assertThat(names.fields().get("vfio_pci_hot_reset")).contains("group_fds");
  }

  @Test
  void everyNameOfVfioIsBound() {
    assertEveryNameIsBound("linux/vfio.h", vfio_h.class);
  }

  @Test
  void everyNameOfIommufdIsBound() {
    assertEveryNameIsBound("linux/iommufd.h", iommufd_h.class);
  }

  private static void assertEveryNameIsBound(String header, Class<?> constants) {
    HeaderNames names = new HeaderNames(new CCompiler(AuditedTarget.X86, HEADERS), header);
    assertThat(names.constants()).hasSizeGreaterThan(100);
    assertThat(names.fields()).hasSizeGreaterThan(30);

    Set<String> bound =
        Arrays.stream(constants.getFields()).map(f -> f.getName()).collect(Collectors.toSet());
    assertThat(bound).containsAll(names.constants());

    Map<String, List<String>> structs =
        BoundClasses.all().stream()
            .filter(type -> type.getPackage() == constants.getPackage())
            .filter(BoundStruct::isStruct)
            .collect(
                Collectors.toMap(Class::getSimpleName, type -> allFields(BoundStruct.of(type))));
    names
        .fields()
        .forEach(
            (struct, fields) ->
                assertThat(structs.get(struct)).as(struct).isNotNull().containsAll(fields));
  }

  private static List<String> allFields(BoundStruct struct) {
    List<String> fields = new ArrayList<>();
    BoundClasses.withNested(struct).forEach(each -> fields.addAll(each.fields()));
    return fields;
  }

  private static String complaints(AuditedTarget target, List<Class<?>> classes) {
    return new CCompiler(target, HEADERS).complaints(AuditSource.of(classes));
  }

  // What follows is wrong, each in one way.

  private static final GroupLayout TWO_INTS =
      MemoryLayout.structLayout(
          ValueLayout.JAVA_INT.withName("argsz"), ValueLayout.JAVA_INT.withName("flags"));

  static final class WrongOffset {
    public static final class vfio_group_status {
      public static final GroupLayout LAYOUT = TWO_INTS;
      public static final long SIZEOF = 8;
      public static final long argsz$OFFSET = 4;
    }
  }

  static final class WrongSize {
    public static final class vfio_group_status {
      public static final GroupLayout LAYOUT = TWO_INTS;
      public static final long SIZEOF = 12;
    }
  }

  static final class WrongAlignment {
    public static final class vfio_group_status {
      public static final GroupLayout LAYOUT = TWO_INTS.withByteAlignment(8);
      public static final long SIZEOF = 8;
    }
  }

  static final class WrongElement {
    public static final class vfio_irq_set {
      public static final GroupLayout LAYOUT =
          MemoryLayout.structLayout(
              MemoryLayout.sequenceLayout(0, ValueLayout.JAVA_INT).withName("data"));
      public static final long SIZEOF = 20;
      public static final long data$OFFSET = 20;
    }
  }

  static final class WrongBits {
    public static final class kvm_ioapic_state {
      public static final GroupLayout LAYOUT =
          MemoryLayout.structLayout(
              MemoryLayout.sequenceLayout(24, ValueLayout.JAVA_LONG).withName("redirtbl"));
      public static final long SIZEOF = 216;

      public static final class redirtbl {
        public static final GroupLayout LAYOUT =
            MemoryLayout.unionLayout(ValueLayout.JAVA_LONG.withName("fields"));
        public static final long SIZEOF = 8;

        public static final class fields {
          public static final GroupLayout LAYOUT = MemoryLayout.structLayout();
          public static final long SIZEOF = 8;
          public static final long polarity$OFFSET = 1;
          public static final int polarity$SHIFT = 6;
          public static final int polarity$MASK = 1;
        }
      }
    }
  }

  static final class WrongNumber {
    public static final int VFIO_TYPE1_IOMMU = 3;
  }

  static final class WrongIoctl {
    public static final int VFIO_GET_API_VERSION = 0x3b65;
  }

  static final class WrongKvmIoctl {
    public static final int KVM_GET_CLOCK = 0x4030ae7c;
  }

  static final class WrongLong {
    public static final long KVM_REG_ARM64 = 0x6000000000000001L;
  }

  static final class WrongSign {
    public static final int KVM_VM_TYPE_ARM_PROTECTED = 0x80000000;
  }

  static final class WrongString {
    public static final String VFIO_DEVICE_API_PCI_STRING = "vfio-pc";
  }

  static final class NoSuchName {
    public static final int VFIO_NO_SUCH_NAME = 0;
  }
}
