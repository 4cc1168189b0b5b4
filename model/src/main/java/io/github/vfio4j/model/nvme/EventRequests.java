package io.github.vfio4j.model.nvme;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * What a controller has to tell, and the requests for it that the driver has given. Of a kind it
 * tells again only after the log was read that belongs to it.
 */
final class EventRequests {
  /** How many requests the driver may have with the controller. */
  static final int MOST = 4;

  /** Ends a request. */
  @FunctionalInterface
  interface Answer {
    void end(int identifier, int result);
  }

  private record Event(int kind, int information, int log) {
    int result() {
      return log << 16 | information << 8 | kind;
    }
  }

  private final Answer answer;
  private final Deque<Integer> requests = new ArrayDeque<>();
  private final Deque<Event> events = new ArrayDeque<>();
  private final Set<Event> untold = new HashSet<>();

  EventRequests(Answer answer) {
    this.answer = answer;
  }

  void reset() {
    requests.clear();
    events.clear();
    untold.clear();
  }

  /** Takes a request, or says that there are too many. */
  boolean request(int identifier) {
    if (requests.size() == MOST) {
      return false;
    }
    requests.add(identifier);
    tell();
    return true;
  }

  void raise(int kind, int information, int log) {
    Event event = new Event(kind, information, log);
    if (untold.stream().noneMatch(other -> other.kind == kind)) {
      untold.add(event);
      events.add(event);
      tell();
    }
  }

  /** Lets events be told again whose log was read. */
  void readLog(int log) {
    untold.removeIf(event -> event.log == log);
  }

  private void tell() {
    while (!requests.isEmpty() && !events.isEmpty()) {
      answer.end(requests.remove(), events.remove().result());
    }
  }
}
