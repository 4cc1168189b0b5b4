package io.github.vfio4j.generator;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Turns clang's declaration of a struct into a {@link Struct}, whose numbers clang answers later.
 */
final class StructReader {
  private final Facts facts;
  private final RecordLayouts layouts;

  /**
   * Left out: fields whose place in their outermost struct, such as {@code kvm_run.debug}, fits.
   */
  private final Predicate<String> omitted;

  StructReader(Facts facts, RecordLayouts layouts, Predicate<String> omitted) {
    this.facts = facts;
    this.layouts = layouts;
    this.omitted = omitted;
  }

  Struct read(Node record) {
    return struct(
        record, new Place(record.text("tagUsed") + " " + record.name(), ""), record.name());
  }

  private Struct struct(Node record, Place place, String name) {
    return new Struct(
        name,
        record.text("tagUsed").equals("union"),
        facts.ask(place.size()),
        facts.ask(place.alignment()),
        members(record, place, record));
  }

  private List<Member> members(Node record, Place place, Node root) {
    List<Member> members = new ArrayList<>();
    Optional<Node> untagged = Optional.empty();
    for (Node child : record.children()) {
      if (child.is("RecordDecl")) {
        untagged = Optional.of(child).filter(nested -> nested.name().isEmpty());
      } else if (child.is("FieldDecl") && !isFiller(child)) {
        Node inner = child.type().contains("(") ? untagged.orElseThrow() : child;
        if (child.name().isEmpty()) {
          members.add(
              new Member.Anonymous(
                  inner.text("tagUsed").equals("union"), members(inner, place, root)));
        } else if (place.isOmitted(child.name(), omitted)) {
          members.add(new Member.LeftOut(child.name()));
        } else if (!isEmpty(inner)) {
          members.add(field(child, inner, place, root));
        }
      }
    }
    return List.copyOf(members);
  }

  /** Whether a field is a bit-field without a name, which is there for the space it takes. */
  private static boolean isFiller(Node field) {
    return field.name().isEmpty() && field.text("isBitfield").equals("true");
  }

  /** Whether a field's type is a struct without fields, which GNU C gives no size. */
  private static boolean isEmpty(Node type) {
    return type.is("RecordDecl") && type.find("FieldDecl").isEmpty();
  }

  private Member.Named field(Node field, Node inner, Place place, Node root) {
    Spelling type = Spelling.of(field, inner);
    if (field.text("isBitfield").equals("true")) {
      return bitField(field, type, root);
    }
    Place element = place.field(field.name() + "[0]".repeat(type.lengths().size()));
    List<Long> dimensions = new ArrayList<>(type.lengths());
    if (type.isFlexible()) {
      dimensions.removeFirst();
    }
    String elementSize = element.size();
    if (type.isWide()) {
      dimensions.add(2L);
      elementSize += " / 2";
    }
    return new Field(
        field.name(),
        type.declare(field.name()),
        inner.is("RecordDecl")
            ? new Type.Inline(struct(inner, element, field.name()))
            : type.isTagged() ? new Type.Tagged(type.tag()) : new Type.Scalar(),
        List.copyOf(dimensions),
        type.isFlexible(),
        facts.ask(place.offset(field.name())),
        facts.ask(elementSize),
        facts.ask(place.alignment()));
  }

  private BitField bitField(Node field, Spelling type, Node root) {
    int width = Integer.parseInt(field.find("ConstantExpr").orElseThrow().text("value"));
    Integer bitOffset = layouts.of(fieldNames(root)).get(field.name());
    return new BitField(
        field.name(),
        type.declare(field.name()) + " : " + width,
        Objects.requireNonNull(bitOffset),
        width,
        facts.ask("sizeof(" + type.base() + ")"),
        facts.ask("(" + type.base() + ")-1 < 0"));
  }

  /**
   * A type as clang spells it, such as {@code __u32[6]}.
   *
   * @param base the part before the lengths
   * @param lengths the lengths of an array, 0 for one that is left open
   */
  private record Spelling(String base, List<Long> lengths) {
    private static final Pattern ARRAY = Pattern.compile("(.*?) ?((?:\\[\\d*])*)");
    private static final Pattern LENGTH = Pattern.compile("\\[(\\d*)]");

    /** Reads the type of a field, where {@code inner} is the untagged struct that is its type. */
    static Spelling of(Node field, Node inner) {
      Matcher spelled = ARRAY.matcher(field.type());
      if (!spelled.matches()) {
        throw new IllegalStateException("cannot read the type " + field.type());
      }
      return new Spelling(
          inner.is("RecordDecl") ? inner.text("tagUsed") : spelled.group(1),
          LENGTH.matcher(spelled.group(2)).results().map(Spelling::length).toList());
    }

    private static Long length(MatchResult brackets) {
      return brackets.group(1).isEmpty() ? 0 : Long.parseLong(brackets.group(1));
    }

    boolean isFlexible() {
      return !lengths.isEmpty() && lengths.getFirst() == 0;
    }

    /** Whether this is an integer of 128 bits, such as {@code __u128}: for Java, two longs. */
    boolean isWide() {
      return base.contains("128") && !isTagged();
    }

    boolean isTagged() {
      return (base.startsWith("struct ") || base.startsWith("union ")) && !base.endsWith("*");
    }

    String tag() {
      return base.substring(base.indexOf(' ') + 1);
    }

    String declare(String name) {
      return base
          + (base.endsWith("*") ? "" : " ")
          + name
          + lengths.stream()
              .map(length -> length == 0 ? "[]" : "[" + length + "]")
              .collect(Collectors.joining());
    }
  }

  /** The names of a struct's fields, and of those of its anonymous members. */
  private static List<String> fieldNames(Node record) {
    List<String> names = new ArrayList<>();
    Node untagged = record;
    for (Node child : record.children()) {
      if (child.is("RecordDecl")) {
        untagged = child;
      } else if (child.is("FieldDecl") && !isFiller(child)) {
        names.addAll(child.name().isEmpty() ? fieldNames(untagged) : List.of(child.name()));
      }
    }
    return names;
  }
}
