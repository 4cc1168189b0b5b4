package io.github.vfio4j.bench;

import java.util.Set;

/**
 * What is measured: one operation of the library, and what it is measured against.
 *
 * @param name what the command line and the results call it
 * @param operations how many make one round
 * @param rounds how many there are at most, since each is long in coming
 * @param measures under which it says something
 * @param java opens the Java side
 * @param floor what does the same
 */
record Benchmark(
    String name,
    int operations,
    int rounds,
    Set<Measure> measures,
    Workload.Opener java,
    Floor floor) {}
