package io.github.vfio4j.cli.text;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.sysfs.ReservedRegion;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import tools.jackson.jr.ob.JSON;

/**
 * Writes results as JSON. Fields keep the order in which they were added; one without a value is
 * null. Identifiers and addresses are hexadecimal strings, since 64 bits do not fit the numbers of
 * JSON; amounts are numbers.
 */
public final class Json {

  private final Map<String, @Nullable Object> fields = new LinkedHashMap<>();

  private Json() {}

  public static Json object() {
    return new Json();
  }

  public Json with(String field, @Nullable Object value) {
    fields.put(field, value);
    return this;
  }

  public Json with(String field, Optional<?> value) {
    return with(field, value.isPresent() ? value.get() : null);
  }

  public Json with(String field, OptionalInt value) {
    return with(field, value.isPresent() ? value.getAsInt() : null);
  }

  public static Map<String, @Nullable Object> range(IovaRange range) {
    return object().with("first", hex(range.first())).with("last", hex(range.last())).map();
  }

  public static Map<String, @Nullable Object> reserved(ReservedRegion region) {
    return object()
        .with("first", hex(region.first()))
        .with("last", hex(region.last()))
        .with("type", region.type())
        .map();
  }

  public static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  public Map<String, @Nullable Object> map() {
    return fields;
  }

  public void print(PrintWriter out) {
    out.println(
        Printable.json(
            JSON.std
                .with(JSON.Feature.PRETTY_PRINT_OUTPUT)
                .with(JSON.Feature.WRITE_NULL_PROPERTIES)
                .asString(fields)));
  }
}
