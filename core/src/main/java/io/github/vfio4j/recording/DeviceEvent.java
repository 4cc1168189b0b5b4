package io.github.vfio4j.recording;

import io.github.vfio4j.BackendChoice;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** What operators watch in a flight recording: who holds which device, and how much it pins. */
@Category("VFIO")
@StackTrace(false)
public abstract class DeviceEvent extends Event {
  @Label("Device")
  @Description("PCI address, or UUID of a mediated device")
  String device = "";

  /** Ends the event, and keeps it where somebody records. */
  public void commit(String deviceName) {
    device = deviceName;
    commit();
  }

  /** A device was opened; the duration is that of the opening. */
  @Name("io.github.vfio4j.DeviceOpen")
  @Label("VFIO Device Open")
  public static final class Open extends DeviceEvent {
    @Label("Interface")
    String backend = "";

    @Label("Reason")
    @Description("Why this interface was taken")
    String reason = "";

    /** Ends the event, and keeps it where somebody records. */
    public void commit(String deviceName, BackendChoice choice) {
      backend = choice.backend().toString();
      reason = choice.reason();
      commit(deviceName);
    }
  }

  /** A device was closed; the duration is that of the closing. */
  @Name("io.github.vfio4j.DeviceClose")
  @Label("VFIO Device Close")
  public static final class Close extends DeviceEvent {}

  /** A device was reset; the duration is that of the reset. */
  @Name("io.github.vfio4j.DeviceReset")
  @Label("VFIO Device Reset")
  public static final class Reset extends DeviceEvent {}

  /** A DMA buffer was allocated, pinned and mapped. */
  @Name("io.github.vfio4j.DmaBufferAllocate")
  @Label("VFIO DMA Buffer Allocate")
  @Category("VFIO")
  @StackTrace(false)
  public static final class Allocate extends Event {
    @Label("Address Space")
    String addressSpace = "";

    @Label("IOVA")
    long iova;

    @Label("Size")
    @DataAmount
    long size;

    /** Ends the event, and keeps it where somebody records. */
    public void commit(String addressSpace, long iova, long size) {
      this.addressSpace = addressSpace;
      this.iova = iova;
      this.size = size;
      commit();
    }
  }
}
