package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.fake.FakeMachine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceEventTest {
  @TempDir Path root;

  @Test
  void aRecordingTellsWhoHeldTheDeviceAndWhatItPinned() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    List<RecordedEvent> events;
    try (Recording recording = new Recording()) {
      recording.start();
      try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
        device.addressSpace().allocate(5000);
      }
      recording.stop();
      events = ours(recording);
    }

    RecordedEvent open = only("DeviceOpen", events);
    assertThat(open.getString("device")).isEqualTo("0000:00:05.0");
    assertThat(open.getString("backend")).isEqualTo("cdev+iommufd");
    assertThat(open.getString("reason")).isEqualTo("the caller asked for it");
    RecordedEvent allocate = only("DmaBufferAllocate", events);
    assertThat(allocate.getLong("size")).isEqualTo(8192);
    assertThat(allocate.getString("addressSpace")).startsWith("IOAS ");
    assertThat(only("DeviceClose", events).getString("device")).isEqualTo("0000:00:05.0");
  }

  @Test
  void aRecordingThatStartsLateTellsOfWhatFollows() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    List<RecordedEvent> events;
    try (VfioDevice device = machine.open(Backend.CONTAINER);
        Recording recording = new Recording()) {
      recording.start();
      device.addressSpace().allocate(5000);
      recording.stop();
      events = ours(recording);
    }

    assertThat(only("DmaBufferAllocate", events).getLong("size")).isEqualTo(8192);
    assertThat(events).hasSize(1);
  }

  private static RecordedEvent only(String name, List<RecordedEvent> events) {
    List<RecordedEvent> found =
        events.stream().filter(e -> e.getEventType().getName().endsWith("." + name)).toList();
    assertThat(found).hasSize(1);
    return found.getFirst();
  }

  private List<RecordedEvent> ours(Recording recording) throws IOException {
    Path file = root.resolve("events.jfr");
    recording.dump(file);
    return RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().startsWith("io.github.vfio4j"))
        .toList();
  }
}
