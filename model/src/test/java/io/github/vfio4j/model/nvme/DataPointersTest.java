package io.github.vfio4j.model.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.model.Bus;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which descriptors of data the model takes. */
class DataPointersTest {
  private static final int SIZE = 10_000;

  private final List<String> moved = new ArrayList<>();
  private final Bus bus =
      (Bus)
          Proxy.newProxyInstance(
              Bus.class.getClassLoader(),
              new Class<?>[] {Bus.class},
              (_, method, arguments) -> {
                MemorySegment data = (MemorySegment) arguments[1];
                moved.add(
                    method.getName() + " 0x%x %d".formatted((Long) arguments[0], data.byteSize()));
                return true;
              });
  private final DataPointers pointers = new DataPointers(() -> bus);

  private static ByteBuffer command(int form, long address, int length, int type) {
    ByteBuffer command = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    command.putInt(0, 2 | form << 14);
    command.putLong(24, address);
    command.putInt(32, length);
    command.put(39, (byte) type);
    return command;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 0x1234567, 10000, 0x00, 0x000", // a block at any address
    "4, 1, 0x1234568, 10000, 0x00, 0x000",
    "0, 1, 0x1234568, 10000, 0x00, 0x002", // there are none
    "1, 2, 0x1234568, 10000, 0x00, 0x002", // another form
    "1, 3, 0x1234568, 10000, 0x00, 0x002",
    "4, 1, 0x1234566, 10000, 0x00, 0x01e",
    "1, 1, 0x1234568, 10001, 0x00, 0x00f",
    "1, 1, 0x1234568, 9999, 0x00, 0x00f",
    "1, 1, 0x1234568, -1, 0x00, 0x00f",
    "1, 1, 0x1234568, 10000, 0x01, 0x011", // an offset in the controller's memory
    "1, 1, 0x1234568, 10000, 0x10, 0x011", // a bucket
    "1, 1, 0x1234568, 10000, 0x20, 0x011", // a list
    "1, 1, 0x1234568, 10000, 0x30, 0x011",
    "1, 1, 0x1234568, 10000, 0xf0, 0x011"
  })
  void unknownDescriptorsAreRefused(
      int alignment, int form, String address, int length, String type, String status) {
    pointers.setAlignment(alignment);
    long at = Long.decode(address);
    ByteBuffer command = command(form, at, length, Integer.decode(type));
    MemorySegment data = MemorySegment.ofArray(new byte[SIZE]);

    assertThat(pointers.move(command, data, true)).isEqualTo(Integer.decode(status));
    if (Integer.decode(status) == 0) {
      assertThat(moved).containsExactly("write 0x%x %d".formatted(at, SIZE));
    } else {
      assertThat(moved).isEmpty();
    }
    assertThat(pointers.moveOfAdmin(command, data, true)).isEqualTo(0x002);
  }
}
