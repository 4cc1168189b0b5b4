package io.github.vfio4j.kerneltests.mock;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.mock.Mock;

/** How many devices are attached to an address space, and in how small pieces the kernel works. */
enum Setup {
  NO_DEVICE(0, Mock.MEMORY_LIMIT),
  ONE_DEVICE(1, Mock.MEMORY_LIMIT),
  TWO_DEVICES(2, Mock.MEMORY_LIMIT),
  SMALL_PIECES(1, 16);

  private final int devices;
  private final int memoryLimit;

  Setup(int devices, int memoryLimit) {
    this.devices = devices;
    this.memoryLimit = memoryLimit;
  }

  MockSpace open() throws VfioException {
    MockSpace space = MockSpace.open(devices);
    space.mock().limitMemory(memoryLimit);
    return space;
  }
}
