/// A JSON value whose parts can be asked for by path: for formats whose fields are not known before.
///
/// All values of a text stand in one array in the order of the text, each with the index after its
/// last part, so that a tree costs two allocations and passing over a part is one step. Texts stay
/// places in the bytes: what is not asked for is never copied.
package struct JSONTree: Sendable {
  enum Kind: UInt8, Sendable { case object, array, text, number, boolean, null }

  struct Node: Sendable {
    var kind: Kind
    /// Its key, where it is in an object.
    var key: ByteRange
    /// Its characters; of a container nothing.
    var content: ByteRange
    /// The index after its last part.
    var next: Int32
  }

  /// Why a text has no tree.
  package struct Fault: Error, Equatable, Sendable {
    /// The index of the first byte that cannot be understood.
    package var offset: Int
    /// What was expected there.
    package var expected: String

    package init(offset: Int, expected: String) {
      self.offset = offset
      self.expected = expected
    }
  }

  /// Containers open at once beyond which a text is refused.
  package static let nestingLimit = 512

  private(set) var nodes: [Node] = []
  private(set) var input: [UInt8]
  private(set) var tail: [UInt8] = []

  /// Reads the value that starts at `start` of `bytes`.
  ///
  /// Of two equal keys the later counts. Bytes that are not UTF-8 are kept until they are asked for.
  /// - Throws: `Fault` where the text is not JSON.
  /// - Complexity: O(n) in its bytes.
  package init(_ bytes: [UInt8], from start: Int = 0) throws(Fault) {
    input = bytes
    guard bytes.count <= EventDecoder.pieceLimit else {
      throw Fault(offset: 0, expected: "at most \(EventDecoder.pieceLimit) bytes")
    }
    var builder = JSONTreeBuilder(base: bytes.count)
    do {
      end = try builder.read(bytes.span, from: start)
    } catch {
      throw error.treeFault
    }
    nodes = builder.nodes
    tail = builder.tail
  }

  /// Reads as much of the value at `start` as is there: containers that the bytes end in are taken
  /// to end where the last whole part of them does.
  /// - Throws: `Fault` where not even the beginning is JSON.
  package init(partial bytes: [UInt8], from start: Int) throws(Fault) {
    input = bytes
    var builder = JSONTreeBuilder(base: bytes.count)
    do {
      end = try builder.read(bytes.span, from: start)
    } catch {
      guard builder.closeAtEnd() else { throw error.treeFault }
      end = bytes.count
    }
    nodes = builder.nodes
    tail = builder.tail
  }

  /// The first index from `start` that is not white space.
  package static func afterBlanks(_ bytes: [UInt8], _ start: Int) -> Int {
    JSONScanner().afterBlanks(bytes.span, start)
  }

  /// The index after the value in the bytes that it was read from.
  package private(set) var end = 0

  /// The whole value.
  package var root: JSONValue { JSONValue(tree: self, index: 0) }

  /// The bytes at a range, which is in the input or in the tail.
  func slice(_ range: ByteRange) -> ArraySlice<UInt8> {
    let start = Int(range.offset)
    let count = Int(range.length)
    if count == 0 { return [] }
    return start < input.count
      ? input[start..<start + count]
      : tail[(start - input.count)..<(start - input.count + count)]
  }
}

extension JSONScanner.Fault {
  /// The same in terms of offsets.
  var treeFault: JSONTree.Fault {
    switch self {
    case .syntax(let at, let expected): JSONTree.Fault(offset: at, expected: expected)
    case .tooDeep(let at):
      JSONTree.Fault(
        offset: at, expected: "at most \(JSONTree.nestingLimit) levels of nesting")
    case .repeatedKey(let range):
      JSONTree.Fault(offset: Int(range.offset), expected: Expectation.onceEach)
    case .text(.unterminated(let at)):
      JSONTree.Fault(offset: at, expected: "a closing quote")
    case .text(.controlCharacter(let at)):
      JSONTree.Fault(offset: at, expected: "a character that is no control character")
    case .text(.escape(let at)), .text(.surrogate(let at)):
      JSONTree.Fault(offset: at, expected: "an escape of JSON")
    case .text(.encoding(let at)):
      JSONTree.Fault(offset: at, expected: Expectation.unicode)
    }
  }
}

/// One value of a ``JSONTree``.
package struct JSONValue: Sendable {
  let tree: JSONTree
  let index: Int

  private var node: JSONTree.Node { tree.nodes[index] }

  package var isObject: Bool { node.kind == .object }
  package var isArray: Bool { node.kind == .array }
  package var isNull: Bool { node.kind == .null }

  /// The text, or nil where the value is none or an empty one.
  package var text: String? {
    guard node.kind == .text, node.content.length > 0 else { return nil }
    return String(decoding: tree.slice(node.content), as: UTF8.self)
  }

  /// The number as written, or the text: for amounts and times that come as either.
  package var literal: String? {
    node.kind == .number || node.kind == .text
      ? String(decoding: tree.slice(node.content), as: UTF8.self) : nil
  }

  /// The bytes of a text after its escapes, of a number or of `true` and `false` as written; nil for
  /// what holds other values and for `null`. Nothing is copied.
  package var scalar: ArraySlice<UInt8>? {
    switch node.kind {
    case .text, .number, .boolean: tree.slice(node.content)
    case .object, .array, .null: nil
    }
  }

  package var boolean: Bool? {
    node.kind == .boolean ? tree.slice(node.content).first == UInt8(ascii: "t") : nil
  }

  /// The number as an integer, where it is one in value (`5`, `5.0`) and fits 64 bits. A text of
  /// digits counts, since headers are texts.
  package var integer: Int64? {
    guard let number = number else { return nil }
    return number.scaled(by: 0, isExact: true)
  }

  /// The number times 10^`scale`, rounded half away from zero; nil where it does not fit 64 bits.
  package func integer(scaledBy scale: Int) -> Int64? {
    number?.scaled(by: scale, isExact: false)
  }

  private var number: JSONNumber? {
    guard node.kind == .number || node.kind == .text else { return nil }
    let bytes = Array(tree.slice(node.content))
    guard let number = JSONNumber(bytes.span, at: 0), number.end == bytes.count else { return nil }
    return number
  }

  /// The elements of an array, or nothing.
  /// - Complexity: O(n) in the elements.
  package var elements: [JSONValue] {
    guard node.kind == .array else { return [] }
    return children
  }

  private var children: [JSONValue] {
    var result: [JSONValue] = []
    var child = index + 1
    while child < node.next {
      result.append(JSONValue(tree: tree, index: child))
      child = Int(tree.nodes[child].next)
    }
    return result
  }

  /// The keys of an object in their order, or nothing.
  package var keys: [String] {
    guard node.kind == .object else { return [] }
    return children.map { String(decoding: tree.slice($0.node.key), as: UTF8.self) }
  }

  /// The value at a path of keys, where it is there and not `null`.
  ///
  /// A step is a key, or `key[name=value]`: the first element of the array at that key whose text
  /// `name` is `value`.
  /// - Complexity: O(k) in the keys of the objects passed.
  package subscript(_ path: JSONPath) -> JSONValue? {
    var value = self
    for step in path.steps {
      guard let next = value.member(step.key) else { return nil }
      value = next
      guard let selector = step.selector else { continue }
      guard
        let element = value.elements.first(where: {
          $0.member(selector.name)?.text == selector.value
        })
      else { return nil }
      value = element
    }
    return value.isNull ? nil : value
  }

  /// The value at a key of an object; nil where it is not there. Of two equal keys the later counts.
  /// - Complexity: O(k) in the keys of the object.
  package func member(_ key: [UInt8]) -> JSONValue? {
    guard node.kind == .object else { return nil }
    var found: Int?
    var child = index + 1
    while child < node.next {
      let other = tree.nodes[child].key
      if Int(other.length) == key.count, tree.slice(other).elementsEqual(key) { found = child }
      child = Int(tree.nodes[child].next)
    }
    return found.map { JSONValue(tree: tree, index: $0) }
  }

  /// The members of an object in their order, or nothing.
  /// - Complexity: O(k) in the keys of the object.
  package var members: [(key: String, value: JSONValue)] {
    guard node.kind == .object else { return [] }
    return children.map { (String(decoding: tree.slice($0.node.key), as: UTF8.self), $0) }
  }

  private func member(_ key: String) -> JSONValue? { member(Array(key.utf8)) }
}

/// A way through objects, written `usage.cacheDetails[ttl=5m].inputTokens`.
package struct JSONPath: Sendable, Hashable, ExpressibleByStringLiteral {
  struct Step: Sendable, Hashable {
    var key: [UInt8]
    var selector: Selector?
  }

  struct Selector: Sendable, Hashable {
    var name: String
    var value: String
  }

  let steps: [Step]

  private init(steps: [Step]) { self.steps = steps }

  /// Its first key.
  package var firstKey: String? {
    steps.first.map { String(decoding: $0.key, as: UTF8.self) }
  }

  /// The path without its first step.
  package var rest: JSONPath { JSONPath(steps: Array(steps.dropFirst())) }

  /// The path of one key, taken as it is.
  package init(key: String) { steps = [Step(key: Array(key.utf8))] }

  package init(stringLiteral text: String) {
    steps = text.split(separator: ".").map { part in
      guard let bracket = part.firstIndex(of: "["), part.last == "]" else {
        return Step(key: Array(part.utf8))
      }
      let words = part[part.index(after: bracket)...].dropLast()
        .split(separator: "=", maxSplits: 1)
      return Step(
        key: Array(part[..<bracket].utf8),
        selector: words.count == 2
          ? Selector(name: String(words[0]), value: String(words[1])) : nil)
    }
  }
}

extension JSONNumber {
  /// The value times 10^`scale` as an integer, rounded half away from zero, or nil where it does not
  /// fit, or is no integer though it should be.
  func scaled(by scale: Int, isExact: Bool) -> Int64? {
    if digits == 0 { return 0 }
    if hasMore && isExact { return nil }
    var power = exponent + scale
    var value = Int128(digits)
    while power > 0 && value <= Int128(Int64.max) {
      value *= 10
      power -= 1
    }
    if power > 0 { return nil }
    if power < 0 {
      guard power >= -20 else { return isExact ? nil : 0 }
      var divisor: Int128 = 1
      for _ in 0..<(-power) { divisor *= 10 }
      if isExact && value % divisor != 0 { return nil }
      value = (value + divisor / 2) / divisor
    }
    return Int64(exactly: isNegative ? -value : value)
  }
}
