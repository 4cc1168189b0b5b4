package io.github.vfio4j.vmm.x86;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.VfioException;
import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.Test;

/** What Linux's driver of serial ports asks of one. */
class SerialTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private boolean asserted;
  private final Serial serial = new Serial(out, line -> asserted = line);

  private void write(int register, int value) throws VfioException {
    serial.write(register, 1, value);
  }

  private int read(int register) throws VfioException {
    return (int) serial.read(register, 1);
  }

  @Test
  void whatIsSentIsWritten() throws VfioException {
    for (byte each : "hello".getBytes(UTF_8)) {
      assertThat(read(5) & 0x60).as("the transmitter is empty").isEqualTo(0x60);
      write(0, each);
    }
    assertThat(out.toString(UTF_8)).isEqualTo("hello");
    assertThat(asserted).isFalse();
  }

  @Test
  void whatIsTypedIsReadInItsOrder() throws VfioException {
    serial.type((byte) 'a');
    serial.type((byte) 0xff);

    assertThat(asserted).as("nobody has asked for interrupts").isFalse();
    write(1, 1);
    assertThat(asserted).isTrue();
    assertThat(read(2) & 0xf).isEqualTo(4);
    assertThat(read(5) & 1).isEqualTo(1);
    assertThat(read(0)).isEqualTo('a');
    assertThat(asserted).isTrue();
    assertThat(read(0)).isEqualTo(0xff);
    assertThat(asserted).isFalse();
    assertThat(read(5) & 1).isZero();
    assertThat(read(2) & 0xf).isEqualTo(1);
  }

  @Test
  void emptyTransmitterInterruptsOnceForEachByte() throws VfioException {
    write(1, 2);
    assertThat(asserted).as("it is empty from the start").isTrue();
    assertThat(read(2) & 0xf).isEqualTo(2);
    assertThat(asserted).as("told").isFalse();

    write(0, 'x');
    assertThat(asserted).isTrue();
    write(1, 0);
    assertThat(asserted).as("nobody wants to know").isFalse();
  }

  @Test
  void divisorAndDataShareARegister() throws VfioException {
    write(3, 0x83);
    write(0, 0x34);
    write(1, 0x12);
    assertThat(read(0)).isEqualTo(0x34);
    assertThat(read(1)).isEqualTo(0x12);
    write(3, 3);
    assertThat(read(1)).as("no interrupt was asked for").isZero();
    assertThat(out.size()).isZero();
  }

  @Test
  void fifosAreToldWhenTheyAreOn() throws VfioException {
    assertThat(read(2) & 0xc0).isZero();
    write(2, 1);
    assertThat(read(2) & 0xc0).as("a 16550A").isEqualTo(0xc0);
  }

  @Test
  void loopsBackForWhoTestsIt() throws VfioException {
    write(4, 0x1a);
    assertThat(read(6) & 0xf0).isEqualTo(0x90);
    write(0, 'x');
    assertThat(read(0)).isEqualTo('x');
    assertThat(out.size()).isZero();
  }

  @Test
  void loopedBackBytesAreNoMoreThanFitIn() throws VfioException {
    write(4, 0x1a);
    for (int i = 0; i < 1000; i++) {
      write(0, i);
    }

    for (int i = 0; i < 16; i++) {
      assertThat(read(0)).isEqualTo(i);
    }
    assertThat(read(5) & 1).as("there is more").isZero();
  }
}
