internal import FarthingCore
internal import FarthingStore

// A mapping says which path of a foreign record fills which field of an event. It is read from a
// YAML file by `MappingFile`, checked as a whole there, and worked through by `MappingCollector`:
//
//     line or record ─▶ values by path ─▶ extract ─▶ skip_when ─▶ fields ─▶ event
//
// Paths are numbered when the file is read, so that a record's values stand in one array and
// everything after the reading of the record is the same for all formats. docs/mappings.md
// describes the file key by key.

/// How any JSON lines, logfmt, CSV or text becomes events.
package struct Mapping: Sendable {
  /// What the column `source` says of its events.
  package var name: String
  var format: RecordFormat
  /// Every path that the file names, once each; a rule knows a path by its place here.
  var paths: [MappedPath] = []
  /// Texts that stand for an absent value.
  var absent: [[UInt8]] = [[]]
  var extractions: [Extraction] = []
  /// A record that meets any of them is no event.
  var skips: [SkipCondition] = []
  /// The kind of all records, or the rule that tells it.
  var kind = KindRule.constant(.request)
  var fields: [FieldRule] = []

  /// Named groups of a path's text, as values of their own.
  struct Extraction: Sendable {
    var path: Int
    var pattern: LinePattern
    /// The numbers of the groups and the paths that they fill.
    var groups: [(group: Int, path: Int)]
  }

  enum KindRule: Sendable {
    case constant(EventKind)
    case rule(ValueRule)
  }

  /// The paths that are filled by extractions, not by records.
  var extractedPaths: Set<Int> {
    Set(extractions.flatMap { $0.groups.map(\.path) })
  }
}

/// How records lie in the text.
enum RecordFormat: Sendable {
  case json
  case logfmt
  case csv(CSVDialect)
  case text(LinePattern)

  /// The word for it in a mapping file.
  var name: String {
    switch self {
    case .json: "json"
    case .logfmt: "logfmt"
    case .csv: "csv"
    case .text: "text"
    }
  }
}

/// A path as it was written, and as each format needs it.
struct MappedPath: Sendable, Hashable {
  /// A step through JSON.
  enum Step: Sendable, Hashable {
    case key([UInt8])
    case index(Int)
  }

  /// As in the mapping file.
  var text: String
  /// For JSON: objects' keys and arrays' places. A path of several steps is looked for as one key
  /// first, since many logs write `gen_ai.usage.input_tokens` flat.
  var steps: [Step]
  /// The text as one key, or column, or group.
  var key: [UInt8]

  /// Reads `a.b[0].c`; a backslash keeps the dot, bracket or backslash behind it from having a
  /// meaning. nil where the text is empty, a step is, or a bracket holds no number.
  init?(_ text: String) {
    self.text = text
    steps = []
    key = []
    var step: [UInt8] = []
    var rest = Array(text.utf8)[...]
    var wasIndex = false
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\\"):
        guard let next = rest.popFirst() else { return nil }
        step.append(next)
        key.append(next)
        wasIndex = false
      case UInt8(ascii: "."):
        guard !step.isEmpty || wasIndex else { return nil }
        if !step.isEmpty { steps.append(.key(step)) }
        step = []
        key.append(byte)
        wasIndex = false
        if rest.isEmpty { return nil }
      case UInt8(ascii: "["):
        guard let close = rest.firstIndex(of: UInt8(ascii: "]")),
          let number = Int(String(decoding: rest[..<close], as: UTF8.self)), number >= 0
        else { return nil }
        if !step.isEmpty { steps.append(.key(step)) }
        step = []
        steps.append(.index(number))
        key.append(byte)
        key += rest[...close]
        rest = rest[(close + 1)...]
        wasIndex = true
      default:
        if wasIndex { return nil }
        step.append(byte)
        key.append(byte)
      }
    }
    if !step.isEmpty { steps.append(.key(step)) }
    if steps.isEmpty { return nil }
  }
}

/// Which records are none of the events that are wanted.
indirect enum SkipCondition: Sendable {
  case isOneOf(path: Int, values: [ValuePattern])
  case isNoneOf(path: Int, values: [ValuePattern])
  case matches(path: Int, LinePattern)
  case absent(path: Int)
  case present(path: Int)
  case all([SkipCondition])
}

/// A value to compare with: a text, a range of integers, or digits with `x` for any.
enum ValuePattern: Sendable, Equatable {
  case text([UInt8])
  case range(ClosedRange<Int64>)
  case digits([UInt8])

  /// `5xx`, `400-499`, or any text.
  init(_ text: String) {
    let bytes = Array(text.utf8)
    let isDigits = bytes.allSatisfy { $0 &- 48 <= 9 || $0 == UInt8(ascii: "x") }
    if isDigits, bytes.contains(UInt8(ascii: "x")), bytes.contains(where: { $0 &- 48 <= 9 }) {
      self = .digits(bytes)
      return
    }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    if parts.count == 2, let low = Int64(parts[0]), let high = Int64(parts[1]), low >= 0,
      low <= high
    {
      self = .range(low...high)
      return
    }
    self = .text(bytes)
  }

  func matches(_ value: ArraySlice<UInt8>) -> Bool {
    switch self {
    case .text(let text): return value.elementsEqual(text)
    case .range(let range):
      return DecimalReading.integer(value).map { range.contains($0) } ?? false
    case .digits(let digits):
      return value.count == digits.count
        && zip(value, digits).allSatisfy { byte, digit in
          digit == UInt8(ascii: "x") ? byte &- 48 <= 9 : byte == digit
        }
    }
  }
}

/// Where a value comes from, before its field makes something of it.
struct ValueRule: Sendable {
  enum Source: Sendable {
    case constant([UInt8])
    /// The first of them that is there.
    case paths([Int])
    /// Texts and paths in turn; absent where one of the paths is.
    case template([TemplatePart])
  }

  enum TemplatePart: Sendable {
    case text([UInt8])
    case path(Int)
  }

  var source: Source
  /// What of the text counts, and which group of it.
  var pattern: LinePattern?
  var group = 0
  var map: ValueMap?
  var fallback: [UInt8]?
}

/// Values to values.
struct ValueMap: Sendable {
  /// Exact texts, which come first; an empty value makes the field absent.
  var exact: [[UInt8]: [UInt8]] = [:]
  /// Ranges and digit patterns, in the order of the file.
  var patterns: [(ValuePattern, [UInt8])] = []
  /// What all other texts become; nil leaves them as they are.
  var others: [UInt8]?

  func value(of text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    if let value = exact[Array(text)] { return value[...] }
    if let match = patterns.first(where: { $0.0.matches(text) }) { return match.1[...] }
    return others?[...] ?? text
  }
}

/// What fills one field.
struct FieldRule: Sendable {
  enum Target: Sendable {
    case field(ContractField)
    case tag(String)
    case unit(String)
  }

  enum Action: Sendable {
    /// One value to one place.
    case value(Target, ValueRule)
    /// All members below a path, as tags or as units; of their names those that match.
    case members(isTags: Bool, path: MemberPath, matching: LinePattern?, prefix: String)
  }

  var action: Action
  var conversion = Conversion.none
  /// In the mapping file.
  var line: Int

  /// The name of the field in messages.
  var name: String {
    switch action {
    case .value(.field(let field), _): field.name
    case .value(.tag(let name), _): "tags." + name
    case .value(.unit(let name), _): "units." + name
    case .members(let isTags, _, _, _): isTags ? "tags.*" : "units.*"
    }
  }
}

/// Where members are looked for: `labels.*` in JSON; names that begin with `label_` elsewhere.
struct MemberPath: Sendable {
  var text: String
  /// For JSON: the object; nil for the record itself.
  var object: MappedPath?
  /// For flat records: what stands before and behind the star.
  var prefix: [UInt8]
  var suffix: [UInt8]
}

/// How a text becomes the value of its field.
enum Conversion: Sendable {
  case none
  /// The number times 10^`power` times `factor`.
  case scale(power: Int, factor: Int64)
  /// A duration with units in it, such as `1m30.5s`, in milliseconds.
  case duration
  case money(MoneyUnit)
  case time(TimePattern, minus: DurationSource?)
}

/// A duration in a record, to be taken from a time.
struct DurationSource: Sendable {
  var path: Int
  /// Powers of ten from its unit to nanoseconds, and a factor.
  var power: Int
  var factor: Int64
}

/// What an amount of money is given in.
struct MoneyUnit: Sendable {
  /// Powers of ten from the unit to US dollars.
  var power = 0
  /// The amount is multiplied by this and divided by that, to the nearest picodollar.
  var multiplier: Int64 = 1
  var divisor: Int64 = 1
  /// The amount is a price of so many units; the path says how many there were.
  var times: Int?
}
