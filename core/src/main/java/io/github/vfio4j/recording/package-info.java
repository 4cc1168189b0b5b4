/** The events that operators watch in a flight recording. Not exported. */
package io.github.vfio4j.recording;
