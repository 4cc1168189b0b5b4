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

  /** Set once, before anybody else has this object. */
  private Mapping mapping;

  /** Makes room for a buffer whose pages are about to be mapped. */
  PagesBuffer(AddressSpace space, Pages pages) {
    this.space = space;
    this.pages = pages;
    this.mapping = Mapping.none(space);
  }

  void mapped(Mapping made) {
    mapping = made;
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

  /** Frees pages that no other address space can have mapped. */
  void abandonPages() throws VfioException {
    Answer.require("munmap", "the DMA buffer of " + space, pages.free(), "its memory is lost");
  }

  void freePages() throws VfioException {
    int answer = OpenSpaces.free(pages);
    Answer.require("munmap", "the DMA buffer of " + space, answer, "its memory is lost");
  }

  /** Returns its size, where it is mapped, and whether it is closed. */
  @Override
  public String toString() {
    String ended = segment().scope().isAlive() ? "" : ", closed";
    return "DMA buffer of 0x%x bytes at IOVA 0x%x of %s%s".formatted(size(), iova(), space, ended);
  }
}
