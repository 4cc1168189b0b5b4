package io.github.vfio4j.mapping;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Pages;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.MemorySegment;

/** A buffer of pages of its own. */
final class PagesBuffer implements DmaBuffer {
  private final AddressSpace space;
  private final Pages pages;
  private final Mapping mapping;

  PagesBuffer(AddressSpace space, Pages pages, Mapping mapping) {
    this.space = space;
    this.pages = pages;
    this.mapping = mapping;
  }

  Mapping mapping() {
    return mapping;
  }

  @Override
  public MemorySegment segment() {
    return pages.segment();
  }

  @Override
  public long iova() {
    return mapping.iova();
  }

  @Override
  public long size() {
    return mapping.size();
  }

  @Override
  public void close() throws VfioException {
    space.free(this);
  }

  void freePages() throws VfioException {
    int answer = OpenSpaces.free(pages);
    Answer.require("munmap", "the DMA buffer of " + space, answer, "its memory is lost");
  }
}
