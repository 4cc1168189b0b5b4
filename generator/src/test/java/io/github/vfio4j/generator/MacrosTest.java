package io.github.vfio4j.generator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;

class MacrosTest {

  @Test
  void takesTheMacrosOfTheWantedFileThatHaveAValue() {
    String preprocessed =
        """
        # 1 "/usr/include/linux/types.h" 1
        #define OTHER 1
        # 1 "/usr/include/linux/vfio.h" 1 3
        #define VFIO_H
        #define VFIO_TYPE (';')
        #define VFIO_VALID(state) (state)
        #define VFIO_GONE 1
        #undef VFIO_GONE
        #define VFIO_SELF VFIO_SELF
        # 2 "<stdin>" 2
        #define LATER 2
        """;
    assertThat(Macros.of(preprocessed, Set.of("/usr/include/linux/vfio.h")))
        .containsOnlyKeys("VFIO_TYPE")
        .containsEntry("VFIO_TYPE", "(';')");
  }

  @Test
  void knowsAnIoctlByItsMaker() {
    assertThat(Macros.isIoctl("_IO(VFIO_TYPE, VFIO_BASE + 0)")).isTrue();
    assertThat(Macros.isIoctl("_IOWR(KVMIO, 0x02, struct kvm_msr_list)")).isTrue();
    assertThat(Macros.isIoctl("_IOC_NONE")).isFalse();
    assertThat(Macros.isIoctl("(1 << 0)")).isFalse();
  }
}
