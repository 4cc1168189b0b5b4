package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.lab.GuestClasses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the host: what the lab finds among the tests of this module. */
class GuestClassesTest {
  @TempDir Path directory;

  private List<String> classesFor(String machine, String kernel) throws Exception {
    Path here = Path.of(getClass().getProtectionDomain().getCodeSource().getLocation().toURI());
    Path file = directory.resolve("classes");
    GuestClasses.main(new String[] {here.toString(), "", machine, kernel, file.toString()});
    return Files.readAllLines(file);
  }

  @Test
  void eachGuestLoadsWhatSuitsIt() throws Exception {
    String nested = NestedDmaTest.class.getName();
    String everywhere = IovaRangesTest.class.getName();
    String old = OldKernelTest.class.getName();

    assertThat(classesFor("smmuv3", "7.3.4")).contains(nested, everywhere).doesNotContain(old);
    assertThat(classesFor("virtio", "7.3.4")).contains(everywhere).doesNotContain(nested, old);
    assertThat(classesFor("intel/legacy", "6.1.176"))
        .contains(everywhere, old)
        .doesNotContain(nested)
        .doesNotHaveDuplicates();
  }

  @Test
  void testsOfTheHostAreNotAmongThem() throws Exception {
    assertThat(classesFor("bare", "7.3.4")).isNotEmpty().doesNotContain(getClass().getName());
  }
}
