package io.github.vfio4j.mapping;

import java.util.Arrays;

/**
 * The free extents of an address space, in granules: each runs from {@code start} up to and without
 * {@code end}; none touches another.
 *
 * <p>An AVL tree ordered by address, in which every node knows the longest extent below it. It lies
 * in primitive arrays, so that only growing allocates, which {@link #take} does before it changes
 * anything: there are as many spare nodes as parts were taken, so giving them back, each as a
 * whole, never has to grow. Node 0 is "no node", with height and length 0. Nodes have no parent
 * link: each operation walks down from the root once, noting its {@code path}, and mends heights
 * and lengths on the way back up, as far as they change.
 */
final class FreeExtents {

  /** No AVL tree that {@code int} can number is deeper. */
  private static final int MAX_HEIGHT = 48;

  private long[] start = new long[16];
  private long[] end = new long[16];
  private long[] longest = new long[16];
  private int[] left = new int[16];
  private int[] right = new int[16];
  private byte[] height = new byte[16];
  private final int[] path = new int[MAX_HEIGHT];

  private int root;
  private int depth;
  private int used = 1;
  private int recycled;
  private int spare = start.length - 1;

  /** How many parts were taken and not given back. */
  private int taken;

  private long total;

  /** The number of free granules. */
  long total() {
    return total;
  }

  /** The number of nodes on the longest way down. */
  int height() {
    return height[root];
  }

  long start(int node) {
    return start[node];
  }

  long end(int node) {
    return end[node];
  }

  /** The lowest extent of at least that length, or 0. */
  int lowest(long length) {
    final long[] longest = this.longest;
    final int[] path = this.path;
    int node = root;
    if (longest[node] < length) {
      return 0;
    }
    for (int level = 0; ; level++) {
      path[level] = node;
      int below = left[node];
      if (longest[below] >= length) {
        node = below;
      } else if (end[node] - start[node] >= length) {
        depth = level;
        return node;
      } else {
        node = right[node];
      }
    }
  }

  /** The lowest extent of at least that length that starts at {@code from} or above, or 0. */
  int lowest(long length, long from) {
    int node = lowest(root, length, from);
    return node == 0 ? 0 : find(start[node]);
  }

  private int lowest(int node, long length, long from) {
    while (longest[node] >= length) {
      if (start[node] >= from) {
        int below = lowest(left[node], length, from);
        if (below != 0) {
          return below;
        }
        if (end[node] - start[node] >= length) {
          return node;
        }
      }
      node = right[node];
    }
    return 0;
  }

  /** The extent that holds the granule, or 0. */
  int find(long granule) {
    int node = root;
    for (int level = 0; node != 0; level++) {
      path[level] = node;
      if (granule < start[node]) {
        node = left[node];
      } else if (granule < end[node]) {
        depth = level;
        return node;
      } else {
        node = right[node];
      }
    }
    return 0;
  }

  /** Takes a part out of the extent that was found last. */
  void take(long from, long to) {
    makeSpare(taken + 2); // one for what is left above it, and one for when it comes back
    taken++;
    int node = path[depth];
    long rest = end[node];
    total -= to - from;
    if (start[node] < from) {
      end[node] = from;
      mend(depth, depth);
      if (to < rest) {
        insert(to, rest);
      }
    } else if (to < rest) {
      start[node] = to;
      mend(depth, depth);
    } else {
      remove();
    }
  }

  /** Frees what is not free; false, with nothing changed, if part of it is free already. */
  boolean add(long from, long to) {
    final int[] path = this.path;
    int node = root;
    int level = 0;
    int before = -1;
    int after = -1;
    while (node != 0) {
      path[level] = node;
      if (to <= start[node]) {
        after = level++;
        node = left[node];
      } else if (end[node] <= from) {
        before = level++;
        node = right[node];
      } else {
        return false;
      }
    }
    makeSpare(1);
    taken = Math.max(0, taken - 1);
    total += to - from;
    boolean joinsBefore = before >= 0 && end[path[before]] == from;
    boolean joinsAfter = after >= 0 && start[path[after]] == to;
    if (joinsBefore && joinsAfter) {
      long rest = end[path[after]];
      depth = after;
      remove();
      node = find(from - 1);
      end[node] = rest;
      mend(depth, depth);
    } else if (joinsBefore) {
      end[path[before]] = to;
      mend(before, before);
    } else if (joinsAfter) {
      start[path[after]] = from;
      mend(after, after);
    } else {
      attach(level, from, to);
    }
    return true;
  }

  private void insert(long from, long to) {
    int level = 0;
    for (int node = root; node != 0; level++) {
      path[level] = node;
      node = from < start[node] ? left[node] : right[node];
    }
    attach(level, from, to);
  }

  /** Hangs a new node under the last node of the path. */
  private void attach(int level, long from, long to) {
    int node = newNode();
    start[node] = from;
    end[node] = to;
    longest[node] = to - from;
    left[node] = 0;
    right[node] = 0;
    height[node] = 1;
    if (level == 0) {
      root = node;
    } else {
      int parent = path[level - 1];
      if (from < start[parent]) {
        left[parent] = node;
      } else {
        right[parent] = node;
      }
      mend(level - 1, level - 1);
    }
  }

  /** Removes the last node of the path; with two children, its successor's place goes instead. */
  private void remove() {
    int level = depth;
    int node = path[level];
    if (left[node] != 0 && right[node] != 0) {
      int next = right[node];
      path[++level] = next;
      while (left[next] != 0) {
        next = left[next];
        path[++level] = next;
      }
      start[node] = start[next];
      end[node] = end[next];
      node = next;
    }
    replaceChild(level, node, left[node] != 0 ? left[node] : right[node]);
    left[node] = recycled;
    recycled = node;
    spare++;
    mend(level - 1, depth);
  }

  /**
   * Restores balance, heights and lengths from a level of the path upwards.
   *
   * @param changed the level from which on an unchanged node means that all above it are unchanged
   */
  private void mend(int level, int changed) {
    for (; level >= 0; level--) {
      int node = path[level];
      byte oldHeight = height[node];
      long oldLongest = longest[node];
      int lean = height[left[node]] - height[right[node]];
      if (lean < -1 || lean > 1) {
        int top = lean > 1 ? liftLeft(node) : liftRight(node);
        replaceChild(level, node, top);
        node = top;
      } else {
        update(node);
      }
      if (level <= changed && height[node] == oldHeight && longest[node] == oldLongest) {
        return;
      }
    }
  }

  private int liftLeft(int node) {
    int child = left[node];
    if (height[left[child]] < height[right[child]]) {
      left[node] = rotateLeft(child);
    }
    return rotateRight(node);
  }

  private int liftRight(int node) {
    int child = right[node];
    if (height[right[child]] < height[left[child]]) {
      right[node] = rotateRight(child);
    }
    return rotateLeft(node);
  }

  private int rotateRight(int node) {
    int top = left[node];
    left[node] = right[top];
    right[top] = node;
    update(node);
    update(top);
    return top;
  }

  private int rotateLeft(int node) {
    int top = right[node];
    right[node] = left[top];
    left[top] = node;
    update(node);
    update(top);
    return top;
  }

  private void update(int node) {
    int l = left[node];
    int r = right[node];
    height[node] = (byte) (1 + Math.max(height[l], height[r]));
    longest[node] = Math.max(end[node] - start[node], Math.max(longest[l], longest[r]));
  }

  /** Puts another node, or none, where the node at this level of the path hangs. */
  private void replaceChild(int level, int node, int other) {
    if (level == 0) {
      root = other;
    } else if (left[path[level - 1]] == node) {
      left[path[level - 1]] = other;
    } else {
      right[path[level - 1]] = other;
    }
  }

  private int newNode() {
    spare--;
    int node = recycled;
    if (node != 0) {
      recycled = left[node];
      return node;
    }
    return used++;
  }

  /** Sees to it that there are so many spare nodes, or leaves all as it was. */
  private void makeSpare(int nodes) {
    if (spare < nodes) {
      grow(Math.max(start.length, nodes - spare));
    }
  }

  private void grow(int by) {
    int capacity = Math.addExact(start.length, by);
    long[] newStart = Arrays.copyOf(start, capacity);
    long[] newEnd = Arrays.copyOf(end, capacity);
    long[] newLongest = Arrays.copyOf(longest, capacity);
    int[] newLeft = Arrays.copyOf(left, capacity);
    int[] newRight = Arrays.copyOf(right, capacity);
    byte[] newHeight = Arrays.copyOf(height, capacity);
    start = newStart;
    end = newEnd;
    longest = newLongest;
    left = newLeft;
    right = newRight;
    height = newHeight;
    spare += by;
  }
}
