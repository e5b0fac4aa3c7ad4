/// Builds the nodes of a ``JSONTree`` in one pass, without recursion.
struct JSONTreeBuilder {
  private(set) var nodes: [JSONTree.Node] = []
  /// Indices of the containers that are open.
  private var open: [Int] = []
  private var scanner = JSONScanner()
  private var key = ByteRange()

  var tail: [UInt8] { scanner.tail }

  init(base: Int) {
    scanner.base = base
    scanner.toleratesEncoding = true
  }

  /// Reads the value at `start` and what is in it.
  /// - Returns: The index after it.
  mutating func read(
    _ bytes: Span<UInt8>, from start: Int
  ) throws(JSONScanner.Fault) -> Int {
    var at = start
    while true {
      at = scanner.afterBlanks(bytes, at)
      let byte = bytes.byte(at)
      if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
        let isObject = byte == UInt8(ascii: "{")
        if open.count >= JSONTree.nestingLimit { throw .tooDeep(at: at) }
        open.append(nodes.count)
        append(isObject ? .object : .array, ByteRange())
        at = scanner.afterBlanks(bytes, at &+ 1)
        let closing = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        if bytes.byte(at) != closing {
          if isObject { at = try readKey(bytes, at: at) }
          continue
        }
      } else {
        at = try readScalar(bytes, at: at)
      }
      var isClosed = true
      while let container = open.last {
        at = scanner.afterBlanks(bytes, at)
        let isObject = nodes[container].kind == .object
        let byte = bytes.byte(at)
        if byte == UInt8(ascii: ",") {
          at = scanner.afterBlanks(bytes, at &+ 1)
          if isObject { at = try readKey(bytes, at: at) }
          isClosed = false
          break
        }
        guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          throw .syntax(at: at, expected: isObject ? "a comma or }" : "a comma or ]")
        }
        nodes[container].next = Int32(truncatingIfNeeded: nodes.count)
        open.removeLast()
        at &+= 1
      }
      if isClosed { return at }
    }
  }

  /// Closes what is open after a fault, so that the nodes read before it form a tree.
  /// - Returns: Whether there are any.
  mutating func closeAtEnd() -> Bool {
    for container in open { nodes[container].next = Int32(truncatingIfNeeded: nodes.count) }
    open = []
    return !nodes.isEmpty
  }

  private mutating func append(_ kind: JSONTree.Kind, _ content: ByteRange) {
    // A node takes two bytes of input at least, so their number fits.
    nodes.append(
      JSONTree.Node(
        kind: kind, key: key, content: content,
        next: Int32(truncatingIfNeeded: nodes.count + 1)))
    key = ByteRange()
  }

  private mutating func readKey(
    _ bytes: Span<UInt8>, at start: Int
  ) throws(JSONScanner.Fault) -> Int {
    guard bytes.byte(start) == UInt8(ascii: "\"") else {
      throw .syntax(at: start, expected: "a key in quotes")
    }
    let text = try scanner.string(bytes, at: start &+ 1)
    key = text.range
    let at = scanner.afterBlanks(bytes, text.end)
    guard bytes.byte(at) == UInt8(ascii: ":") else {
      throw .syntax(at: at, expected: "a colon")
    }
    return at &+ 1
  }

  private mutating func readScalar(
    _ bytes: Span<UInt8>, at: Int
  ) throws(JSONScanner.Fault) -> Int {
    if bytes.byte(at) == UInt8(ascii: "\"") {
      let text = try scanner.string(bytes, at: at &+ 1)
      append(.text, text.range)
      return text.end
    }
    let end = try scanner.skipValue(bytes, at: at, depth: 0)
    let kind: JSONTree.Kind
    switch bytes.byte(at) {
    case UInt8(ascii: "t"), UInt8(ascii: "f"): kind = .boolean
    case UInt8(ascii: "n"): kind = .null
    default: kind = .number
    }
    append(
      kind,
      ByteRange(
        offset: UInt32(truncatingIfNeeded: at), length: UInt32(truncatingIfNeeded: end - at)))
    return end
  }
}
