import FarthingPipeline

@testable import FarthingCore

enum EventBodies {
  // MARK: Events

  static func events(_ bytes: [UInt8]) throws(BrokenProperty) {
    for layout in [EventDecoder.Layout.lines, .document] {
      var decoder = EventDecoder(now: fuzzClock)
      let batch = decoder.decode(bytes, layout: layout)
      var again = EventDecoder(now: fuzzClock)
      _ = again.decode(Array(#"{"time":1,"model":"#.utf8))
      try require(
        EventRecord.all(of: again.decode(bytes, layout: layout)) == EventRecord.all(of: batch),
        "what a decoder read before changes what it reads")
      for event in batch.events {
        let fault = EventRules.check(event, in: batch, now: fuzzClock, from: .contract)
        try require(fault == nil, "an accepted event breaks a rule: \(String(describing: fault))")
      }
      if layout == .lines {
        try lines(bytes, batch)
      } else {
        try document(bytes, batch)
      }
    }
    _ = EventDecoder.layout(of: bytes.span)
  }

  /// Each line is accepted or refused, once, and by itself as among the others.
  private static func lines(
    _ bytes: [UInt8], _ batch: DecodedBatch
  ) throws(BrokenProperty) {
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let lines = bytes[start...].split(separator: 0x0A, omittingEmptySubsequences: false)
    let faults = batch.rejections.map(\.line)
    try require(
      (faults + batch.events.map(\.line)).allSatisfy { $0 >= 1 && $0 <= lines.count },
      "an answer names a line that is not there")
    try require(
      Set(faults).count == faults.count && Set(faults).isDisjoint(with: batch.events.map(\.line)),
      "a line has two answers")
    let blank = lines.count { line in line.allSatisfy { [0x20, 0x09, 0x0D].contains($0) } }
    try require(
      batch.events.count + batch.rejections.count + blank == lines.count,
      "a line has no answer")
    var walk = JSONWalk()
    for event in batch.events {
      let line = Array(lines[event.line - 1])
      try require(walk.accepts(line), "line \(event.line) is no JSON and is accepted")
      try agrees(event, batch, line)
    }
    var decoder = EventDecoder(now: fuzzClock)
    var records: [EventRecord] = []
    var rejections: [EventRejection] = []
    // Words of a refusal may depend on whether a line feed or the end of the text follows.
    for (place, line) in lines.enumerated() {
      // Only at the very beginning is a byte order mark no part of the first line.
      if line.starts(with: [0xEF, 0xBB, 0xBF]) { return }
      let part = decoder.decode(Array(line), firstLine: place + 1)
      records += EventRecord.all(of: part)
      rejections += part.rejections
    }
    try require(records == EventRecord.all(of: batch), "lines one by one give other events")
    try require(
      rejections.map(\.line) == faults && rejections.map(\.field) == batch.rejections.map(\.field),
      "lines one by one give other refusals")
  }

  private static func document(
    _ bytes: [UInt8], _ batch: DecodedBatch
  ) throws(BrokenProperty) {
    guard batch.rejections.isEmpty, !batch.events.isEmpty else { return }
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var walk = JSONWalk()
    walk.nestingLimit = EventLimits.nesting + 1
    try require(walk.accepts(bytes[start...]), "the document is no JSON and is accepted whole")
    try require(
      batch.events.map(\.line) == Array(1...batch.events.count),
      "the elements are not numbered one by one")
  }

  /// The event has what the tree reader finds in its line.
  private static func agrees(
    _ event: DecodedEvent, _ batch: DecodedBatch, _ line: [UInt8]
  ) throws(BrokenProperty) {
    guard let tree = try? JSONTree(line) else {
      throw BrokenProperty(description: "an accepted event has no tree")
    }
    for field in TextField.allCases {
      guard let range = event.range(of: field) else { continue }
      let other = tree.root[JSONPath(key: field.contractName)]?.text
      try require(batch.string(range) == other, "\(field.contractName) has another text")
    }
    for field in IntegerField.allCases where !field.isBoolean {
      guard let value = event.integer(field) else { continue }
      let other = tree.root[JSONPath(key: field.contractName)]?.integer
      try require(
        value == other, "\(field.contractName): \(value), not \(String(describing: other))")
    }
    for field in RealField.allCases {
      guard let value = event.real(field) else { continue }
      let other = tree.root[JSONPath(key: field.contractName)]?.literal.flatMap(Double.init)
      try require(
        value == other, "\(field.contractName): \(value), not \(String(describing: other))")
    }
  }

  // MARK: Pieces

  /// Cutting an input into pieces changes neither events nor refusals.
  static func pieces(_ bytes: [UInt8]) throws(BrokenProperty) {
    var input = InputReader(bytes)
    let step = Int(input.byte() % 32) + 1
    let pieceBytes = Int(input.byte() % 64) + 1
    let eventBytes = input.byte() % 4 == 0 ? 40 : 1 << 20
    let text = input.bytes
    var position = 0
    var reader = PieceReader(
      limits: InputLimits(pieceBytes: pieceBytes, eventBytes: eventBytes)
    ) { buffer, count in
      let end = min(text.count, position + min(step, count))
      buffer += text[position..<end]
      defer { position = end }
      return end - position
    }
    var records: [EventRecord] = []
    var rejections: [EventRejection] = []
    var decoder = EventDecoder(now: fuzzClock)
    var isOversized = false
    var lines = 0
    do {
      while let piece = try reader.next() {
        switch piece.content {
        case .lines(let part):
          let batch = decoder.decode(part, firstLine: lines + 1)
          lines += part.count { $0 == 0x0A }
          records += EventRecord.all(of: batch)
          rejections += batch.rejections
        case .document(let part, _):
          let batch = decoder.decode(part, firstLine: lines + 1, layout: .document)
          lines += batch.events.count + batch.rejections.count
          records += EventRecord.all(of: batch)
          rejections += batch.rejections
          if let unread = batch.unreadStart {
            try require((0...part.count).contains(unread), "unread from beyond the text")
            isOversized = true
          }
        case .oversized: isOversized = true
        }
      }
    } catch {
      throw BrokenProperty(description: "a stream without a fault has one: \(error)")
    }
    // Where the beginning that the layout is told by is short, it may be told otherwise.
    guard !isOversized, text.count <= pieceBytes else { return }
    let layout = EventDecoder.layout(of: text.span)
    let whole = decoder.decode(text, layout: layout)
    try require(records == EventRecord.all(of: whole), "pieces give other events")
    try require(rejections.count == whole.rejections.count, "pieces give other refusals")
  }

  // MARK: JSON

  static func json(_ bytes: [UInt8]) throws(BrokenProperty) {
    var walk = JSONWalk()
    walk.toleratesEncoding = true
    walk.refusesRepeatedKeys = false
    walk.nestingLimit = JSONTree.nestingLimit
    let isJSON = walk.accepts(bytes)
    do {
      let tree = try JSONTree(bytes)
      let isWhole = JSONTree.afterBlanks(bytes, tree.end) == bytes.count
      try require(isWhole == isJSON, "the tree takes what is \(isJSON ? "" : "no ")JSON otherwise")
      visit(tree.root, depth: 0)
    } catch let fault as JSONTree.Fault {
      try require(!isJSON, "JSON is refused at \(fault.offset): expected \(fault.expected)")
      try require(fault.offset >= 0 && fault.offset <= bytes.count, "a fault beyond the text")
    } catch {
      throw BrokenProperty(description: "\(error)")
    }
    if let partial = try? JSONTree(partial: bytes, from: 0) { visit(partial.root, depth: 0) }
  }

  private static func visit(_ value: JSONValue, depth: Int) {
    _ = (value.text, value.literal, value.boolean, value.integer, value.integer(scaledBy: 9))
    guard depth < 20 else { return }
    for element in value.elements.prefix(20) { visit(element, depth: depth + 1) }
    for key in value.keys.prefix(20) {
      if let member = value[JSONPath(key: key)] { visit(member, depth: depth + 1) }
    }
  }

  // MARK: Scalars

  /// What is read from a text, written and read again is the same.
  static func scalars(_ bytes: [UInt8]) throws(BrokenProperty) {
    if let amount = try? Picodollars.parse(bytes.span) {
      let limit = Int128(1_000_000_000_000_000) * 1_000_000_000_000
      try require(amount.rawValue.magnitude <= limit.magnitude, "an amount above the limit")
      // Rounded up to the limit it has a digit more than may be written.
      if amount.rawValue.magnitude < limit.magnitude {
        let text = Array(amount.decimalText.utf8)
        let again = try? Picodollars.parse(text.span)
        try require(again == amount, "the amount \(amount.decimalText) is read as another")
      }
    }
    if let number = JSONNumber(bytes.span, at: 0), number.end == bytes.count {
      var walk = JSONWalk()
      try require(walk.accepts(bytes), "a number that is none in JSON")
      for scale in [-30, -9, 0, 9, 18, 30] {
        _ = number.scaled(by: scale, isExact: true)
        _ = number.scaled(by: scale, isExact: false)
      }
    }
    var clock = EventTime()
    let first = clock.read(bytes.span, from: 0, to: bytes.count)
    try require(
      first == clock.read(bytes.span, from: 0, to: bytes.count), "a time reads otherwise again")
    var path = JSONPath(stringLiteral: String(decoding: bytes, as: UTF8.self))
    while path.firstKey != nil { path = path.rest }
  }
}

/// An event as values that can be compared, whatever batch it stands in.
struct EventRecord: Equatable {
  let kind: EventKind
  let line: Int
  let times: [Int64]
  let texts: [String?]
  let integers: [Int64?]
  let reals: [UInt64?]
  let moneys: [Int128?]
  let entries: [String]

  init(_ event: DecodedEvent, _ batch: DecodedBatch) {
    kind = event.kind
    line = event.line
    times = [event.time, event.until]
    texts = TextField.allCases.map { event.range(of: $0).map(batch.string) }
    integers = IntegerField.allCases.map { event.integer($0) }
    reals = RealField.allCases.map { event.real($0)?.bitPattern }
    moneys = MoneyField.allCases.map { event.money($0) }
    entries =
      batch.entries[event.tags].map { "\(batch.string($0.name))=\(batch.string($0.text))" }
      + batch.entries[event.units].map { "\(batch.string($0.name)):\($0.count)" }
  }

  static func all(of batch: DecodedBatch) -> [EventRecord] {
    batch.events.map { EventRecord($0, batch) }
  }
}
