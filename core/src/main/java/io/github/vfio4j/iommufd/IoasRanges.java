package io.github.vfio4j.iommufd;

import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_ioas_iova_ranges;
import io.github.vfio4j.bindings.iommu_iova_range;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What an IOAS can map: {@code IOMMU_IOAS_IOVA_RANGES}. */
record IoasRanges(long alignment, List<IovaRange> ranges) {
  private static final int LIKELY = 16;
  private static final int MOST = 1 << 16;

  static IoasRanges read(IoasChannel channel, int ioas) throws VfioException {
    int room = LIKELY;
    while (true) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment question = Request.of(arena, iommu_ioas_iova_ranges.LAYOUT);
        MemorySegment answers = arena.allocate(iommu_iova_range.LAYOUT, room);
        iommu_ioas_iova_ranges.ioas_id(question, ioas);
        iommu_ioas_iova_ranges.num_iovas(question, room);
        iommu_ioas_iova_ranges.allowed_iovas(question, answers.address());
        int answer = channel.ioctl(Ioctl.IOMMU_IOAS_IOVA_RANGES, question);
        int count = iommu_ioas_iova_ranges.num_iovas(question);
        if (Answer.is(answer, Errno.E2BIG) || Answer.is(answer, Errno.EMSGSIZE)) {
          if (count <= room || count > MOST) {
            throw impossible(ioas, count + " ranges where " + room + " were too few");
          }
          room = count;
        } else if (answer < 0) {
          throw Answer.failure(Ioctl.IOMMU_IOAS_IOVA_RANGES, "IOAS " + ioas, answer);
        } else {
          return new IoasRanges(alignment(question, ioas), ranges(answers, count, room, ioas));
        }
      }
    }
  }

  private static long alignment(MemorySegment question, int ioas) throws VfioException {
    long alignment = iommu_ioas_iova_ranges.out_iova_alignment(question);
    if (alignment <= 0 || Long.bitCount(alignment) != 1) {
      throw impossible(ioas, "the alignment " + Long.toUnsignedString(alignment));
    }
    return alignment;
  }

  private static List<IovaRange> ranges(MemorySegment answers, int count, int room, int ioas)
      throws VfioException {
    if (count < 0 || count > room) {
      throw impossible(ioas, count + " ranges in room for " + room);
    }
    List<IovaRange> ranges = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      MemorySegment range = answers.asSlice(i * iommu_iova_range.SIZEOF, iommu_iova_range.SIZEOF);
      long first = iommu_iova_range.start(range);
      long last = iommu_iova_range.last(range);
      if (Long.compareUnsigned(first, last) > 0) {
        throw impossible(ioas, "a range from 0x%x to 0x%x".formatted(first, last));
      }
      ranges.add(new IovaRange(first, last));
    }
    return ranges;
  }

  private static VfioException impossible(int ioas, String what) {
    return Answer.impossible(Ioctl.IOMMU_IOAS_IOVA_RANGES, "IOAS " + ioas, what);
  }
}
