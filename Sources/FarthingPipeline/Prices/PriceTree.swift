/// A value of JSON with its numbers as text, for parts of a list small enough to be held as a tree.
enum PriceTree: Equatable {
  case null
  case boolean(Bool)
  /// The number as the text has it.
  case number(String)
  case string(String)
  case array([PriceTree])
  /// Members in order; a name given twice stands twice.
  case object([Member])

  struct Member: Equatable {
    let name: String
    let value: PriceTree
  }

  /// Reads the value at the cursor.
  init(
    _ text: borrowing Span<UInt8>, at cursor: inout PriceTextCursor, depth: Int = 0
  ) throws(PriceTextFault) {
    guard depth < PriceTextCursor.maximumDepth else { throw cursor.fault("less nesting") }
    switch try cursor.kind(text) {
    case .string:
      self = .string(try cursor.string(text))
    case .number:
      let range = try cursor.skipValue(text)
      self = .number(PriceTextCursor.string(text, range))
    case .literal:
      let range = try cursor.skipValue(text)
      let word = PriceTextCursor.string(text, range)
      self = word == "null" ? .null : .boolean(word == "true")
    case .array:
      cursor.position += 1
      var elements: [PriceTree] = []
      if !cursor.take(UInt8(ascii: "]"), text) {
        repeat {
          elements.append(try PriceTree(text, at: &cursor, depth: depth + 1))
        } while cursor.take(UInt8(ascii: ","), text)
        try cursor.expect(UInt8(ascii: "]"), text)
      }
      self = .array(elements)
    case .object:
      cursor.position += 1
      var members: [Member] = []
      if !cursor.take(UInt8(ascii: "}"), text) {
        repeat {
          let name = try cursor.string(text)
          try cursor.expect(UInt8(ascii: ":"), text)
          let value = try PriceTree(text, at: &cursor, depth: depth + 1)
          members.append(Member(name: name, value: value))
        } while cursor.take(UInt8(ascii: ","), text)
        try cursor.expect(UInt8(ascii: "}"), text)
      }
      self = .object(members)
    }
  }

  /// The value that starts at `position` of `bytes`, or nil where none can be read.
  init?(_ bytes: [UInt8], at position: Int) {
    var cursor = PriceTextCursor(at: position)
    do {
      self = try PriceTree(bytes.span, at: &cursor)
    } catch {
      return nil
    }
  }

  /// The last member of that name, or nil where there is none or it is null.
  subscript(_ name: String) -> PriceTree? {
    guard case .object(let members) = self else { return nil }
    guard let value = members.last(where: { $0.name == name })?.value, value != .null else {
      return nil
    }
    return value
  }

  var members: [Member] {
    if case .object(let members) = self { members } else { [] }
  }

  var elements: [PriceTree] {
    if case .array(let elements) = self { elements } else { [] }
  }

  var text: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The value as a message shows it, shortened.
  var excerpt: String {
    switch self {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .number(let text), .string(let text): String(text.prefix(64))
    case .array: "[…]"
    case .object: "{…}"
    }
  }

  /// The text of a number, also where the list wrote it as a string.
  var decimal: String? {
    switch self {
    case .number(let text), .string(let text): text
    default: nil
    }
  }
}
