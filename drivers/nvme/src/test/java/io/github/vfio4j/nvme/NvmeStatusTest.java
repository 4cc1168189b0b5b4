package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What users read of a status. */
class NvmeStatusTest {
  @ParameterizedTest
  @CsvSource({
    "0x0000, Successful Completion",
    "0x0002, Invalid Field in Command",
    "0x4002, Invalid Field in Command",
    "0x001e, SGL Data Block Granularity Invalid",
    "0x0115, Namespace Insufficient Capacity",
    "0x0183, Command Size Limit Exceeded",
    "0x0281, Unrecovered Read Error",
    "0x0301, Asymmetric Access Persistent Loss",
    "0x0371, Command Aborted By Host",
    "0x07c1, status 0xc1 of type 7",
    "0x00ff, status 0xff of type 0"
  })
  void hasTheSpecificationsName(int bits, String name) {
    assertThat(new NvmeStatus(bits)).hasToString(name);
  }
}
