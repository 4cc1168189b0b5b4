package io.github.vfio4j.takeover;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.VfioException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The bytes in which it is told. Whoever sends them may be another version, or hostile. */
public final class RunningText {
  private static final int VERSION = 1;
  private static final int MOST = 1 << 21; // more than fit into what is sent

  private RunningText() {}

  /** What is sent. */
  public static final class Whole {
    private final RunningIommufd running;
    private final int memoryCount;
    private final byte[] state;

    private Whole(RunningIommufd running, int memoryCount, byte[] state) {
      this.running = running;
      this.memoryCount = memoryCount;
      this.state = state;
    }

    /** Returns what is taken over. */
    public RunningIommufd running() {
      return running;
    }

    /** Returns how many files of memory follow its own. */
    public int memoryCount() {
      return memoryCount;
    }

    /** Returns what the program tells its successor. */
    public byte[] state() {
      return state;
    }
  }

  public static byte[] write(RunningIommufd running, int memoryCount, byte[] state) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(VERSION);
      out.writeInt(running.addressSpaces().size());
      for (RunningIommufd.AddressSpace space : running.addressSpaces()) {
        write(space, out);
      }
      out.writeInt(running.devices().size());
      for (RunningIommufd.Device device : running.devices()) {
        write(device, out);
      }
      out.writeInt(memoryCount);
      out.writeInt(state.length);
      out.write(state);
    } catch (IOException e) {
      throw new AssertionError(e); // there is no file
    }
    return bytes.toByteArray();
  }

  private static void write(RunningIommufd.AddressSpace space, DataOutputStream out)
      throws IOException {
    out.writeInt(space.id());
    out.writeInt(space.mappings().size());
    for (RunningIommufd.Mapping mapping : space.mappings()) {
      out.writeLong(mapping.iova());
      out.writeLong(mapping.size());
      out.writeBoolean(mapping.access().readable());
      out.writeBoolean(mapping.access().writable());
    }
    out.writeInt(space.pageTables().size());
    for (RunningIommufd.PageTable table : space.pageTables()) {
      out.writeInt(table.id());
      out.writeInt(table.flags());
    }
  }

  private static void write(RunningIommufd.Device device, DataOutputStream out) throws IOException {
    out.writeInt(device.id());
    out.writeInt(device.table());
    out.writeInt(device.hwpt());
    out.writeInt(device.vectors().size());
    for (RunningIommufd.Vector vector : device.vectors()) {
      out.writeInt(vector.index());
      out.writeInt(vector.vector());
    }
  }

  /**
   * Reads what was sent.
   *
   * @param from what messages call whoever sent it
   */
  public static Whole read(byte[] bytes, String from) throws VfioException {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int version = in.readInt();
      if (version != VERSION) {
        throw new VfioException(
            "take over", from, null, "it speaks version " + version + ", not " + VERSION);
      }
      List<RunningIommufd.AddressSpace> spaces = new ArrayList<>();
      for (int i = count(in, from); i > 0; i--) {
        spaces.add(addressSpace(in, from));
      }
      List<RunningIommufd.Device> devices = new ArrayList<>();
      for (int i = count(in, from); i > 0; i--) {
        devices.add(device(in, from));
      }
      int memoryCount = count(in, from);
      int size = in.readInt();
      byte[] state = in.readNBytes(size);
      if (state.length != size || in.available() != 0) {
        throw senseless(from);
      }
      return new Whole(
          new RunningIommufd(List.copyOf(spaces), List.copyOf(devices)), memoryCount, state);
    } catch (VfioException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      VfioException failure = senseless(from);
      failure.initCause(e);
      throw failure;
    }
  }

  private static VfioException senseless(String from) {
    return new VfioException("take over", from, null, "what it sends makes no sense");
  }

  private static int count(DataInputStream in, String from) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > MOST) {
      throw senseless(from);
    }
    return count;
  }

  private static RunningIommufd.AddressSpace addressSpace(DataInputStream in, String from)
      throws IOException {
    int id = in.readInt();
    List<RunningIommufd.Mapping> mappings = new ArrayList<>();
    for (int i = count(in, from); i > 0; i--) {
      long iova = in.readLong();
      long size = in.readLong();
      DmaAccess access = access(in.readBoolean(), in.readBoolean(), from);
      mappings.add(new RunningIommufd.Mapping(iova, size, access));
    }
    List<RunningIommufd.PageTable> tables = new ArrayList<>();
    for (int i = count(in, from); i > 0; i--) {
      int table = in.readInt();
      tables.add(new RunningIommufd.PageTable(table, in.readInt()));
    }
    return new RunningIommufd.AddressSpace(id, List.copyOf(mappings), List.copyOf(tables));
  }

  private static DmaAccess access(boolean readable, boolean writable, String from)
      throws VfioException {
    for (DmaAccess access : DmaAccess.values()) {
      if (access.readable() == readable && access.writable() == writable) {
        return access;
      }
    }
    throw senseless(from);
  }

  private static RunningIommufd.Device device(DataInputStream in, String from) throws IOException {
    int id = in.readInt();
    int table = in.readInt();
    int hwpt = in.readInt();
    List<RunningIommufd.Vector> vectors = new ArrayList<>();
    for (int i = count(in, from); i > 0; i--) {
      int index = in.readInt();
      vectors.add(new RunningIommufd.Vector(index, in.readInt()));
    }
    return new RunningIommufd.Device(id, table, hwpt, List.copyOf(vectors));
  }
}
