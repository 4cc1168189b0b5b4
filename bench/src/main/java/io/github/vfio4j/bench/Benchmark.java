package io.github.vfio4j.bench;

import java.util.List;
import java.util.Set;

/**
 * What is measured: one operation of the library, and the C program that does the same.
 *
 * @param name what the command line and the results call it
 * @param operations how many make one round
 * @param rounds how many there are at most, since each is long in coming
 * @param measures under which it says something
 * @param java opens the Java side
 * @param floor the C program and its arguments, to which the number of operations is added; or
 *     nothing where C has nothing that does the same
 */
record Benchmark(
    String name,
    int operations,
    int rounds,
    Set<Measure> measures,
    Workload.Opener java,
    List<String> floor) {}
