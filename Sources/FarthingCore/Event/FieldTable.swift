/// One number for every field of every kind of event: its bit in a set of fields.
///
/// Texts come first, then integers, reals and money, each in the order of its own enumeration, so
/// that a code tells its type by comparison.
struct FieldCode: Equatable, Sendable {
  var rawValue: UInt8

  // Written as numbers, since a lazily initialised global costs a check at each use; a test
  // compares them with the enumerations.
  static var firstInteger: UInt8 { 22 }
  static var firstReal: UInt8 { 39 }
  static var firstMoney: UInt8 { 46 }
  static var time: FieldCode { FieldCode(rawValue: 49) }
  static var until: FieldCode { FieldCode(rawValue: 50) }
  static var type: FieldCode { FieldCode(rawValue: 51) }
  static var tags: FieldCode { FieldCode(rawValue: 52) }
  static var units: FieldCode { FieldCode(rawValue: 53) }
  static var count: Int { 54 }
  /// What a look-up of an unknown name answers.
  static var unknown: FieldCode { FieldCode(rawValue: 255) }

  @inline(__always) init(rawValue: UInt8) { self.rawValue = rawValue }
  @inline(__always) init(_ field: TextField) { rawValue = field.rawValue }
  @inline(__always) init(_ field: IntegerField) { rawValue = Self.firstInteger + field.rawValue }
  @inline(__always) init(_ field: RealField) { rawValue = Self.firstReal + field.rawValue }
  @inline(__always) init(_ field: MoneyField) { rawValue = Self.firstMoney + field.rawValue }

  @inline(__always) var bit: UInt64 { 1 &<< UInt64(rawValue) }

  var text: TextField? { TextField(rawValue: rawValue) }
  var integer: IntegerField? {
    rawValue < Self.firstInteger ? nil : IntegerField(rawValue: rawValue - Self.firstInteger)
  }
  var real: RealField? {
    rawValue < Self.firstReal ? nil : RealField(rawValue: rawValue - Self.firstReal)
  }
  var money: MoneyField? {
    rawValue < Self.firstMoney ? nil : MoneyField(rawValue: rawValue - Self.firstMoney)
  }

  /// The field's name in the event contract.
  var contractName: String {
    if let text { return text.contractName }
    if let integer { return integer.contractName }
    if let real { return real.contractName }
    if let money { return money.contractName }
    switch self {
    case .time: return "time"
    case .until: return "until"
    case .type: return "type"
    case .tags: return "tags"
    default: return "units"
    }
  }
}

/// Finds the field that a key names, in a few nanoseconds and without a string.
///
/// Names are compared as three words, since the longest (`usd_per_accelerator_hour`) has 24 bytes.
/// The first eight bytes and the length tell all names apart, so they alone choose the slot.
struct FieldTable: Sendable {
  struct Name: Sendable {
    var first: UInt64
    var second: UInt64
    var third: UInt64
    var length: Int
    var code: FieldCode
  }

  /// The longest name in bytes; a longer key names no field.
  static let longestName = 24
  static let shared = FieldTable()

  private var slots: [Name]

  private init() {
    let none = Name(first: 0, second: 0, third: 0, length: -1, code: .unknown)
    slots = Array(repeating: none, count: 256)
    for raw in 0..<FieldCode.count {
      let code = FieldCode(rawValue: UInt8(raw))
      let bytes = Array(code.contractName.utf8)
      let name = Name(
        first: bytes.span.word(0), second: bytes.span.word(8), third: bytes.span.word(16),
        length: bytes.count, code: code)
      var slot = Self.slot(first: name.first, length: name.length)
      while slots[slot].length >= 0 { slot = (slot + 1) & 255 }
      slots[slot] = name
    }
  }

  /// Any odd multiplier would do; this one leaves two of the 54 names in a neighbour's slot.
  @inline(__always)
  private static func slot(first: UInt64, length: Int) -> Int {
    let mixed = (first ^ UInt64(truncatingIfNeeded: length)) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed &>> 56)
  }

  /// The field named by up to 24 bytes, given as zero-padded little-endian words.
  @inline(__always)
  func code(first: UInt64, second: UInt64, third: UInt64, length: Int) -> FieldCode {
    var slot = Self.slot(first: first, length: length)
    while true {
      let name = slots[slot]
      if name.length == length && name.first == first && name.second == second
        && name.third == third
      {
        return name.code
      }
      if name.length < 0 { return .unknown }
      slot = (slot &+ 1) & 255
    }
  }

  /// The field that `key` names.
  func code(of key: Span<UInt8>) -> FieldCode {
    if key.count > Self.longestName { return .unknown }
    return code(
      first: key.word(0), second: key.word(8), third: key.word(16), length: key.count)
  }
}

/// What the contract says about each kind of event, as sets of fields.
enum EventShape {
  private static let common =
    FieldCode.type.bit | FieldCode.time.bit | FieldCode(.id).bit

  static let request: UInt64 = {
    var fields = common | FieldCode.tags.bit | FieldCode.units.bit
    for field in TextField.allCases where field != .pool { fields |= FieldCode(field).bit }
    for field in IntegerField.allCases where field != .accelerators {
      fields |= FieldCode(field).bit
    }
    for field in RealField.allCases where field != .tokensPerSecond {
      fields |= FieldCode(field).bit
    }
    return fields | FieldCode(.reportedCostUSD).bit
  }()

  static let outcome: UInt64 =
    common | FieldCode(.task).bit | FieldCode(.outcome).bit | FieldCode(.valueUSD).bit

  static let capacity: UInt64 =
    common | FieldCode.until.bit | FieldCode(.site).bit | FieldCode(.pool).bit
    | FieldCode(.model).bit | FieldCode(.accelerators).bit
    | FieldCode(.usdPerAcceleratorHour).bit | FieldCode(.tokensPerSecond).bit

  /// The fields that an event of this kind may have.
  static func fields(of kind: EventKind) -> UInt64 {
    switch kind {
    case .request: request
    case .outcome: outcome
    case .capacity: capacity
    }
  }

  /// The fields that it must have, in the order in which a missing one is reported.
  static func required(of kind: EventKind) -> [FieldCode] {
    switch kind {
    case .request: [.time, FieldCode(.model)]
    case .outcome: [.time, FieldCode(.task), FieldCode(.outcome)]
    case .capacity:
      [
        .time, .until, FieldCode(.site), FieldCode(.pool), FieldCode(.accelerators),
        FieldCode(.usdPerAcceleratorHour),
      ]
    }
  }

  /// The fields whose `null` or empty text is a fault rather than an absence.
  static func refusesEmpty(_ code: FieldCode, in kind: EventKind) -> Bool {
    code == FieldCode(.id) || (code == FieldCode(.model) && kind == .request)
  }

  /// The values that a text field may have, or nil where any text will do.
  static func values(of field: TextField) -> [String]? {
    switch field {
    case .status: ["ok", "error", "timeout", "rate_limited", "blocked", "cancelled"]
    case .usage: ["reported", "estimated", "missing"]
    case .responseCache: ["hit", "semantic_hit", "miss"]
    case .dataClass: ["public", "internal", "confidential", "restricted"]
    case .outcome: ["success", "failure"]
    default: nil
    }
  }

  /// Text fields with a closed set of values.
  static let enumerated: UInt64 = TextField.allCases.reduce(0) { set, field in
    values(of: field) == nil ? set : set | FieldCode(field).bit
  }
}

/// The limits of the contract.
package enum EventLimits {
  /// Bytes of a text after escapes.
  package static let textBytes = 1024
  /// Bytes of an `id`.
  package static let idBytes = 128
  /// Tags of one request.
  package static let entries = 32
  /// Metered units of one event. The contract names no limit; this one bounds the columns and the
  /// search for names given twice.
  package static let units = 256
  /// Open objects and arrays, the event itself being the first.
  package static let nesting = 16
  /// The greatest integer of any field but a time: 2⁵³.
  package static let integer: Int64 = 9_007_199_254_740_992
  /// 2000-01-01T00:00:00Z in Unix nanoseconds.
  package static let earliestTime: Int64 = 946_684_800_000_000_000
  /// How far ahead of the clock a time may be, in nanoseconds.
  package static let aheadNanoseconds: Int64 = 86_400_000_000_000
  /// Whether no text of an event may have the character: control characters (C0, DEL, C1) and those
  /// that override or embed the direction of text.
  package static func forbids(_ scalar: Unicode.Scalar) -> Bool {
    TextRules.forbids(scalar.value)
  }
  /// Digits of an amount of money before its decimal point.
  package static let moneyDigits = 15
}
