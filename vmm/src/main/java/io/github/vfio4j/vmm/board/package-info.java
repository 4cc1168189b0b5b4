/** What a machine wants of its board, whatever its processors are. */
package io.github.vfio4j.vmm.board;
