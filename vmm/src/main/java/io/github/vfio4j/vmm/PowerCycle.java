package io.github.vfio4j.vmm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.vmm.VirtualMachine.Ending;
import io.github.vfio4j.vmm.board.Board;
import io.github.vfio4j.vmm.kvm.Vcpu;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** A machine from power-on or reset to the next reset or its end: the threads of its processors. */
final class PowerCycle {
  private final CompletableFuture<Ending> ending = new CompletableFuture<>();
  private final List<ProcessorThread> processors;

  PowerCycle(List<Vcpu> vcpus, Board board) {
    processors = vcpus.stream().map(vcpu -> new ProcessorThread(vcpu, board, ending)).toList();
  }

  /** Ends it, unless it has come to another end already. Any thread may call. */
  void end(Ending wanted) {
    ending.complete(wanted);
  }

  /** Runs the processors until it ends, and all of them have stopped. */
  Ending run() throws VfioException, InterruptedException, ExecutionException {
    try {
      processors.forEach(ProcessorThread::start);
      return ending.get();
    } finally {
      Closing closing = new Closing();
      for (ProcessorThread processor : processors) {
        closing.attempt(processor::stop);
      }
      closing.rethrow();
    }
  }
}
