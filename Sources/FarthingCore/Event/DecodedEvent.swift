// A batch of events between decoding and storage.
//
// The decoder is the hot path, so an event is not a tree of strings: its texts are ranges of one
// byte buffer that the batch owns, its numbers stand in fixed places, and a bit says what is
// present. Nothing is allocated for an event. Absent is a cleared bit, never a zero.

/// A run of bytes in ``DecodedBatch/bytes``.
package struct ByteRange: Sendable, Equatable {
  package var offset: UInt32
  package var length: UInt32

  @inlinable
  package init(offset: UInt32 = 0, length: UInt32 = 0) {
    self.offset = offset
    self.length = length
  }
}

/// One entry of `tags` (its value is text) or of `units` (its value is a count).
package struct NamedEntry: Sendable {
  package var name: ByteRange
  package var text: ByteRange
  package var count: Int64

  @inlinable
  package init(name: ByteRange, text: ByteRange = ByteRange(), count: Int64 = 0) {
    self.name = name
    self.text = text
    self.count = count
  }
}

/// One accepted event, valid by every rule of the contract, as places in its batch.
///
/// Defaults of the contract (`status` ok, `attempt` 1, `service_tier` standard, `usage`) are not
/// written in by the decoder: their bits stay clear and readers supply them.
package struct DecodedEvent: Sendable {
  package var kind: EventKind
  /// 1-based line of the input, or element of its array.
  package var line: Int
  /// When the call started, the task ended, or the capacity begins: Unix nanoseconds.
  package var time: Int64
  /// End of a capacity period, Unix nanoseconds; 0 for other kinds.
  package var until: Int64
  /// Bit n is set where `texts[n]` is present; likewise for the others.
  package var textPresence: UInt32
  package var integerPresence: UInt32
  package var realPresence: UInt8
  package var moneyPresence: UInt8
  package var texts: InlineArray<22, ByteRange>
  package var integers: InlineArray<17, Int64>
  package var reals: InlineArray<7, Double>
  /// Whole picodollars.
  package var moneys: InlineArray<3, Int128>
  /// Its tags in ``DecodedBatch/entries``, no name twice.
  package var tags: Range<Int>
  /// Its metered units in ``DecodedBatch/entries``, no name twice.
  package var units: Range<Int>

  @inlinable
  package init(kind: EventKind = .request, line: Int = 0) {
    self.kind = kind
    self.line = line
    time = 0
    until = 0
    textPresence = 0
    integerPresence = 0
    realPresence = 0
    moneyPresence = 0
    texts = InlineArray(repeating: ByteRange())
    integers = InlineArray(repeating: 0)
    reals = InlineArray(repeating: 0)
    moneys = InlineArray(repeating: 0)
    tags = 0..<0
    units = 0..<0
  }

  /// Makes it an event of which nothing is known but its kind and line.
  ///
  /// Places of absent texts, reals and money keep what was there, which their bits hide.
  @inline(__always)
  mutating func clear(kind newKind: EventKind, line newLine: Int) {
    kind = newKind
    line = newLine
    time = 0
    until = 0
    textPresence = 0
    integerPresence = 0
    realPresence = 0
    moneyPresence = 0
    // Sums of parts are taken without asking which of them are present.
    integers = InlineArray(repeating: 0)
    tags = 0..<0
    units = 0..<0
  }

  /// The text field's place, or nil where it is absent.
  @inlinable @inline(__always)
  package func range(of field: TextField) -> ByteRange? {
    textPresence & (1 << UInt32(field.rawValue)) == 0 ? nil : texts[Int(field.rawValue)]
  }

  /// The integer field's value, or nil where it is absent.
  @inlinable @inline(__always)
  package func integer(_ field: IntegerField) -> Int64? {
    integerPresence & (1 << UInt32(field.rawValue)) == 0 ? nil : integers[Int(field.rawValue)]
  }

  /// The real field's value, or nil where it is absent.
  @inlinable @inline(__always)
  package func real(_ field: RealField) -> Double? {
    realPresence & (1 << field.rawValue) == 0 ? nil : reals[Int(field.rawValue)]
  }

  /// The money field's value in picodollars, or nil where it is absent.
  @inlinable @inline(__always)
  package func money(_ field: MoneyField) -> Int128? {
    moneyPresence & (1 << field.rawValue) == 0 ? nil : moneys[Int(field.rawValue)]
  }

  @inlinable
  package mutating func set(_ field: TextField, _ range: ByteRange) {
    texts[Int(field.rawValue)] = range
    textPresence |= 1 << UInt32(field.rawValue)
  }

  @inlinable
  package mutating func set(_ field: IntegerField, _ value: Int64) {
    integers[Int(field.rawValue)] = value
    integerPresence |= 1 << UInt32(field.rawValue)
  }

  @inlinable
  package mutating func set(_ field: RealField, _ value: Double) {
    reals[Int(field.rawValue)] = value
    realPresence |= 1 << field.rawValue
  }

  @inlinable
  package mutating func set(_ field: MoneyField, picodollars: Int128) {
    moneys[Int(field.rawValue)] = picodollars
    moneyPresence |= 1 << field.rawValue
  }
}

/// The accepted events of one piece of input, the bytes that they point into, and what was refused.
package struct DecodedBatch: Sendable {
  /// The input piece itself, followed by whatever had to be unescaped or made.
  package var bytes: [UInt8]
  package var events: [DecodedEvent]
  package var entries: [NamedEntry]
  package var rejections: [EventRejection]
  /// Fields that the contract does not name: name to number of events.
  package var unknownFields: [String: Int]
  /// Where reading ended before the text did, as an index into ``bytes``: where an element that is not
  /// JSON begins, or what follows the bracket that closes the array. nil where all was read.
  package var unreadStart: Int?

  @inlinable
  package init(bytes: [UInt8] = []) {
    self.bytes = bytes
    events = []
    entries = []
    rejections = []
    unknownFields = [:]
  }

  /// The text at `range` as a string, for messages and other cold paths.
  package func string(_ range: ByteRange) -> String {
    let start = Int(range.offset)
    return String(decoding: bytes[start..<start + Int(range.length)], as: UTF8.self)
  }
}

/// Why one event was refused.
package struct EventRejection: Sendable, Equatable {
  /// 1-based line of the input, or element of its array.
  package var line: Int
  /// The field at fault by its contract name; nil where the whole object is.
  package var field: String?
  /// The offending value, shortened to at most 64 characters and without control characters.
  package var value: String?
  /// What was expected, as words that end the sentence "expected …".
  package var expected: String

  package init(line: Int, field: String?, value: String?, expected: String) {
    self.line = line
    self.field = field
    self.value = value
    self.expected = expected
  }
}
