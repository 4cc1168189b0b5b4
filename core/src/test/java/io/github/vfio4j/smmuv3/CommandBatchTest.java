package io.github.vfio4j.smmuv3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.InvalidationBatches;
import io.github.vfio4j.mapping.AllocatedMemory;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandBatchTest {

  @TempDir private Path root;

  private List<Long> words(CommandBatch commands) throws VfioException {
    return InvalidationBatches.read(commands.batch(), root);
  }

  // the specification's 4.1 to 4.5: opcode 7:0, SSV 11, SubstreamID 31:12, StreamID 63:32 or ASID
  // 63:48; Leaf 0, Size 5:0 and Address 63:12 of the second word
  @Test
  void commandsHaveTheBitsOfTheArchitecture() throws VfioException {
    CommandBatch commands =
        new CommandBatch(10)
            .tlbiNhVa(0x1234, 0xffff_ffff_f000L)
            .tlbiNhVaLeaf(0xffff, 0x5000)
            .tlbiNhVaa(0x6000)
            .tlbiNhAsid(7)
            .tlbiNhAll()
            .tlbiNsnhAll()
            .cfgiCd(0xffff_ffffL, 0xf_ffff)
            .cfgiCdAll(0x28)
            .atcInv(0x28, 0x7000, 52)
            .atcInv(0x28, 5, 0x8000, 1);

    assertThat(words(commands))
        .containsExactly(
            0x1234_0000_0000_0012L, 0x0000_ffff_ffff_f000L,
            0xffff_0000_0000_0012L, 0x0000_0000_0000_5001L,
            0x0000_0000_0000_0013L, 0x0000_0000_0000_6000L,
            0x0007_0000_0000_0011L, 0L,
            0x0000_0000_0000_0010L, 0L,
            0x0000_0000_0000_0030L, 0L,
            0xffff_ffff_ffff_f005L, 1L,
            0x0000_0028_0000_0006L, 0L,
            0x0000_0028_0000_0040L, 0x7034L,
            0x0000_0028_0000_5840L, 0x8001L);
  }

  @Test
  void aBatchIsFilledAgainAfterClearing() throws VfioException {
    CommandBatch commands = new CommandBatch(1).tlbiNhAll();
    assertThatIllegalStateException().isThrownBy(commands::tlbiNhAll);

    commands.clear().tlbiNsnhAll();

    assertThat(words(commands)).containsExactly(0x30L, 0L);
  }

  @Test
  void numbersThatHaveNoPlaceAreRefusedAndAddNothing() {
    CommandBatch commands = new CommandBatch(2);
    List<ThrowingCallable> bad =
        List.of(
            () -> commands.tlbiNhVa(-1, 0),
            () -> commands.tlbiNhVa(0x1_0000, 0),
            () -> commands.tlbiNhVa(0, 0x1001),
            () -> commands.tlbiNhVaLeaf(0, 0x800),
            () -> commands.tlbiNhVaLeaf(0x1_0000, 0),
            () -> commands.tlbiNhVaa(1),
            () -> commands.tlbiNhAsid(0x1_0000),
            () -> commands.cfgiCd(-1, 0),
            () -> commands.cfgiCd(1L << 32, 0),
            () -> commands.cfgiCd(0, 1 << 20),
            () -> commands.cfgiCd(0, -1),
            () -> commands.cfgiCdAll(1L << 32),
            () -> commands.atcInv(1L << 32, 0, 0),
            () -> commands.atcInv(0, 1, 0),
            () -> commands.atcInv(0, 0, -1),
            () -> commands.atcInv(0, 0, 53),
            () -> commands.atcInv(0, 1 << 20, 0L, 0));
    for (ThrowingCallable call : bad) {
      assertThatIllegalArgumentException().as("call %d", bad.indexOf(call)).isThrownBy(call);
    }
    assertThat(commands.batch().size()).isZero();
  }

  @Test
  void addingAllocatesNothing() throws ReflectiveOperationException {
    CommandBatch commands = new CommandBatch(4);
    fill(commands, 20_000); // lets the classes be loaded and compiled

    long before = AllocatedMemory.ofThisThread();
    fill(commands, 100_000);
    long allocated = AllocatedMemory.ofThisThread() - before;

    assertThat(allocated).isLessThan(100_000);
  }

  private static void fill(CommandBatch commands, int times) {
    for (int i = 0; i < times; i++) {
      commands
          .clear()
          .tlbiNhVa(i & 0xffff, (long) i << 12)
          .tlbiNhAsid(i & 0xffff)
          .cfgiCd(i, 0)
          .atcInv(i, 0, 0);
    }
  }
}
