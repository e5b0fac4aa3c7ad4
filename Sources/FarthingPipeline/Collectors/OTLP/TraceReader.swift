internal import FarthingCore

/// A span's own fields; its attributes stand in an ``AttributeSet``.
struct SpanFacts: Sendable {
  var id = SpanID()
  /// 0 where there is none.
  var parent: UInt64 = 0
  /// Unix nanoseconds; 0 where it is not said.
  var start: UInt64 = 0
  var end: UInt64 = 0
  var name = 0..<0
  /// Status code 2.
  var isError = false
  /// The class of the last exception recorded.
  var exception: Range<Int>?
  /// When the first token came.
  var firstToken: UInt64?
}

/// A span's place in the world: the trace's 16 bytes and its own 8.
struct SpanID: Hashable, Sendable {
  var traceHigh: UInt64 = 0
  var traceLow: UInt64 = 0
  var span: UInt64 = 0

  /// Whether it is one: neither the trace's nor the span's id may be all zeros.
  var isValid: Bool { (traceHigh | traceLow) != 0 && span != 0 }

  /// `TRACE-SPAN` in hexadecimal.
  var text: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(49)
    for (place, word) in [traceHigh, traceLow, span].enumerated() {
      if place == 2 { result.append(UInt8(ascii: "-")) }
      for shift in stride(from: UInt64(60), through: 0, by: -4) {
        let digit = UInt8(truncatingIfNeeded: word >> shift) & 15
        result.append(digit < 10 ? 48 + digit : 87 + digit)
      }
    }
    return result
  }
}

/// What takes the spans of a body one by one.
protocol SpanSink {
  /// A resource begins; its attributes are in the set.
  mutating func begin(resource: AttributeSet)
  /// A scope of the resource begins.
  mutating func begin(scope: Range<Int>, version: Range<Int>)
  /// A span of the scope.
  mutating func take(_ span: SpanFacts, _ attributes: AttributeSet)
}

/// Walks an `ExportTraceServiceRequest` in protobuf's wire format.
///
/// Depth is bounded by the schema: nothing is entered but the messages that are read, and values of
/// attributes only where they are texts, numbers or booleans. A field of another type than the
/// schema's is unknown and passed over, as protobuf's own readers do.
struct TraceReader {
  private var attributes = AttributeSet()
  private var resource = AttributeSet()

  /// - Throws: `ProtobufFault` where the bytes are no such message; spans before it were taken.
  /// - Complexity: O(n) in the bytes.
  mutating func read(
    _ bytes: Span<UInt8>, _ sink: inout some SpanSink
  ) throws(ProtobufFault) {
    var reader = ProtobufReader(from: 0, to: bytes.count)
    var field = ProtobufField()
    while try reader.next(bytes, &field) {
      if field.isMessage(1) { try readResourceSpans(bytes, field, &sink) }
    }
  }

  /// The resource counts for all its spans, wherever in the message it stands.
  private mutating func readResourceSpans(
    _ bytes: Span<UInt8>, _ whole: ProtobufField, _ sink: inout some SpanSink
  ) throws(ProtobufFault) {
    resource.clear()
    var reader = ProtobufReader(from: whole.start, to: whole.end)
    var field = ProtobufField()
    while try reader.next(bytes, &field) {
      guard field.isMessage(1) else { continue }
      var inner = ProtobufReader(from: field.start, to: field.end)
      var attribute = ProtobufField()
      while try inner.next(bytes, &attribute) {
        if attribute.isMessage(1) {
          try Self.readAttribute(bytes, attribute.start, attribute.end, into: &resource)
        }
      }
    }
    sink.begin(resource: resource)
    reader = ProtobufReader(from: whole.start, to: whole.end)
    while try reader.next(bytes, &field) {
      // 1000 is what the field was called until OTLP 0.15: instrumentation library spans.
      if field.isMessage(2) || field.isMessage(1000) { try readScopeSpans(bytes, field, &sink) }
    }
  }

  private mutating func readScopeSpans(
    _ bytes: Span<UInt8>, _ whole: ProtobufField, _ sink: inout some SpanSink
  ) throws(ProtobufFault) {
    var name = 0..<0
    var version = 0..<0
    var reader = ProtobufReader(from: whole.start, to: whole.end)
    var field = ProtobufField()
    while try reader.next(bytes, &field) {
      guard field.isMessage(1) else { continue }
      var inner = ProtobufReader(from: field.start, to: field.end)
      var part = ProtobufField()
      while try inner.next(bytes, &part) {
        if part.isMessage(1) { name = part.start..<part.end }
        if part.isMessage(2) { version = part.start..<part.end }
      }
    }
    sink.begin(scope: name, version: version)
    reader = ProtobufReader(from: whole.start, to: whole.end)
    while try reader.next(bytes, &field) {
      if field.isMessage(2) { try readSpan(bytes, field, &sink) }
    }
  }

  @inline(__always)
  private mutating func readSpan(
    _ bytes: Span<UInt8>, _ whole: ProtobufField, _ sink: inout some SpanSink
  ) throws(ProtobufFault) {
    var span = SpanFacts()
    attributes.clear()
    var reader = ProtobufReader(from: whole.start, to: whole.end)
    var field = ProtobufField()
    while try reader.next(bytes, &field) {
      switch (field.number, field.wire) {
      case (9, ProtobufWire.bytes):
        try Self.readAttribute(bytes, field.start, field.end, into: &attributes)
      case (1, ProtobufWire.bytes) where field.end - field.start == 16:
        span.id.traceHigh = bytes.bigEndian(field.start)
        span.id.traceLow = bytes.bigEndian(field.start &+ 8)
      case (2, ProtobufWire.bytes) where field.end - field.start == 8:
        span.id.span = bytes.bigEndian(field.start)
      case (4, ProtobufWire.bytes) where field.end - field.start == 8:
        span.parent = bytes.bigEndian(field.start)
      case (5, ProtobufWire.bytes): span.name = field.start..<field.end
      case (7, ProtobufWire.fixed64): span.start = field.bits
      case (8, ProtobufWire.fixed64): span.end = field.bits
      case (11, ProtobufWire.bytes): try readEvent(bytes, field, into: &span)
      case (15, ProtobufWire.bytes): span.isError = try isError(bytes, field)
      default: break
      }
    }
    sink.take(span, attributes)
  }

  private func isError(
    _ bytes: Span<UInt8>, _ whole: ProtobufField
  ) throws(ProtobufFault) -> Bool {
    var code: UInt64 = 0
    var reader = ProtobufReader(from: whole.start, to: whole.end)
    var field = ProtobufField()
    while try reader.next(bytes, &field) {
      if field.number == 3, field.wire == ProtobufWire.varint { code = field.bits }
    }
    return code == 2
  }

  private static let firstToken = Array("First Token Stream Event".utf8)

  /// Of events only the exception's class and the first token's time are wanted.
  private func readEvent(
    _ bytes: Span<UInt8>, _ whole: ProtobufField, into span: inout SpanFacts
  ) throws(ProtobufFault) {
    var time: UInt64 = 0
    var isFirstToken = false
    var isException = false
    var reader = ProtobufReader(from: whole.start, to: whole.end)
    var field = ProtobufField()
    while try reader.next(bytes, &field) {
      if field.number == 1, field.wire == ProtobufWire.fixed64 { time = field.bits }
      if field.isMessage(2) {
        isFirstToken = Self.isEqual(bytes, field.start, field.end, Self.firstToken)
        isException = Self.isEqual(bytes, field.start, field.end, Self.exceptionName)
      }
      if isException, field.isMessage(3) {
        var values = AttributeSet.Lone(AttributeKey.exceptionType.place)
        try Self.readAttribute(bytes, field.start, field.end, into: &values)
        if values.value.kind == .text { span.exception = values.value.start..<values.value.end }
      }
    }
    if isFirstToken, span.firstToken == nil { span.firstToken = time }
  }

  private static let exceptionName = Array("exception".utf8)

  private static func isEqual(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ text: [UInt8]
  ) -> Bool {
    guard end - start == text.count else { return false }
    for index in text.indices where bytes[start &+ index] != text[index] { return false }
    return true
  }

  @inline(__always)
  private static func readAttribute(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int, into values: inout some AttributeStore
  ) throws(ProtobufFault) {
    var reader = ProtobufReader(from: start, to: end)
    var field = ProtobufField()
    var place = -1
    var name = 0..<0
    var value = AttributeValue()
    while try reader.next(bytes, &field) {
      guard field.wire == ProtobufWire.bytes else { continue }
      if field.number == 1 {
        name = field.start..<field.end
        place = AttributeKeyTable.standard.place(bytes, from: field.start, to: field.end)
        // The rest of an attribute that nobody asks for, a prompt for one, is not even looked at.
        if place < 0, !hasPrefix(bytes, name) { return }
      } else if field.number == 2 {
        value = try readValue(bytes, field.start, field.end)
      }
    }
    if place >= 0 {
      values.set(place, value)
    } else if !name.isEmpty {
      values.add(named: name, value)
    }
  }

  @inline(__always)
  private static func hasPrefix(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
    guard let first = name.first else { return false }
    return switch bytes[first] {
    case UInt8(ascii: "f"): starts(bytes, name, SpanFields.ownPrefix)
    case UInt8(ascii: "t"): starts(bytes, name, SpanFields.associationPrefix)
    default: false
    }
  }

  private static func starts(_ bytes: Span<UInt8>, _ name: Range<Int>, _ text: [UInt8]) -> Bool {
    name.count > text.count
      && isEqual(bytes, name.lowerBound, name.lowerBound + text.count, text)
  }

  @inline(__always)
  private static func readValue(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int
  ) throws(ProtobufFault) -> AttributeValue {
    var value = AttributeValue()
    var reader = ProtobufReader(from: start, to: end)
    var field = ProtobufField()
    while try reader.next(bytes, &field) {
      switch (field.number, field.wire) {
      case (1, ProtobufWire.bytes):
        value = AttributeValue(kind: .text, start: field.start, end: field.end)
      case (2, ProtobufWire.varint): value = AttributeValue(kind: .boolean, bits: field.bits)
      case (3, ProtobufWire.varint): value = AttributeValue(kind: .integer, bits: field.bits)
      case (4, ProtobufWire.fixed64): value = AttributeValue(kind: .real, bits: field.bits)
      case (5, ProtobufWire.bytes):
        value = AttributeValue(kind: .other, start: field.start, end: field.end)
      case (6...7, ProtobufWire.bytes): value = AttributeValue(kind: .other)
      default: break
      }
    }
    return value
  }
}

/// Where attributes are put.
protocol AttributeStore {
  mutating func set(_ place: Int, _ value: AttributeValue)
  mutating func add(named name: Range<Int>, _ value: AttributeValue)
}

extension AttributeSet: AttributeStore {
  /// Keeps the one attribute that is wanted.
  struct Lone: AttributeStore {
    private let place: Int
    private(set) var value = AttributeValue()

    init(_ place: Int) { self.place = place }

    mutating func set(_ place: Int, _ value: AttributeValue) {
      if place == self.place { self.value = value }
    }

    mutating func add(named name: Range<Int>, _ value: AttributeValue) {}
  }
}
