package io.github.vfio4j.model.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What the model's registers keep. */
class NvmeModelTest {
  private static final int CONFIGURATION = 0x14;
  private static final int STATUS = 0x1c;
  private static final int ADMIN_SIZES = 0x24;
  private static final int ADMIN_SUBMISSIONS = 0x28;
  private static final int ADMIN_COMPLETIONS = 0x30;

  private final NvmeModel model = new NvmeModel(64, 512);

  private long[] adminQueues() {
    return new long[] {
      model.read(ADMIN_SIZES, 4), model.read(ADMIN_SUBMISSIONS, 8), model.read(ADMIN_COMPLETIONS, 8)
    };
  }

  @Test
  void controllerResetLeavesWhereTheAdminQueuesAre() {
    model.write(ADMIN_SIZES, 4, 0x1f001f);
    model.write(ADMIN_SUBMISSIONS, 4, 0xab8000);
    model.write(ADMIN_SUBMISSIONS + 4, 4, 1);
    model.write(ADMIN_COMPLETIONS, 8, 0xab7000);
    long[] written = {0x1f001f, 0x1_00ab_8000L, 0xab7000};

    // as Linux does it: what it wants comes before the controller is enabled
    model.write(CONFIGURATION, 4, 0x460000);
    assertThat(model.read(CONFIGURATION, 4)).isEqualTo(0x460000);
    assertThat(adminQueues()).isEqualTo(written);

    model.write(CONFIGURATION, 4, 0x460001);
    assertThat(model.read(STATUS, 4)).isEqualTo(1);
    model.write(CONFIGURATION, 4, 0x460000);
    assertThat(model.read(STATUS, 4)).isZero();
    assertThat(adminQueues()).isEqualTo(written);

    model.reset();
    assertThat(model.read(CONFIGURATION, 4)).isZero();
    assertThat(adminQueues()).isEqualTo(new long[] {0, 0, 0});
  }
}
