import FarthingCore
import Testing

@testable import FarthingPipeline

@Suite("Cutting an input into pieces")
struct PieceReaderTests {
  struct StreamFault: Error {}

  /// The pieces of a text that arrives in reads of at most `step` bytes.
  private func pieces(
    _ text: String, step: Int = 7, pieceBytes: Int = 64, eventBytes: Int = 1 << 20,
    layout: InputLayout? = nil, failsAt: Int? = nil
  ) throws -> [InputPiece] {
    let bytes = Array(text.utf8)
    var position = 0
    var reader = PieceReader(
      limits: InputLimits(pieceBytes: pieceBytes, eventBytes: eventBytes), layout: layout
    ) { buffer, count in
      if let failsAt, position >= failsAt { throw StreamFault() }
      let end = min(failsAt ?? bytes.count, position + min(step, count))
      buffer += bytes[position..<end]
      defer { position = end }
      return end - position
    }
    var pieces: [InputPiece] = []
    do {
      while let piece = try reader.next() { pieces.append(piece) }
    } catch is StreamFault {
      #expect(failsAt != nil)
    }
    return pieces
  }

  private func text(_ piece: InputPiece) -> String {
    switch piece.content {
    case .lines(let bytes), .document(let bytes, _): String(decoding: bytes, as: UTF8.self)
    case .oversized(let rejection): "<\(rejection.expected)>"
    }
  }

  @Test(arguments: [1, 7, 64, 1000])
  func `lines are never cut and none is lost`(step: Int) throws {
    let lines = (0..<50).map { "{\"n\":\($0)}" }
    let whole = lines.joined(separator: "\n")
    for end in ["", "\n", "\n\n  \n"] {
      let cut = try pieces(whole + end, step: step)
      #expect(cut.map(text).joined() == whole + end)
      #expect(cut.allSatisfy { text($0).hasPrefix("{") || text($0).allSatisfy(\.isWhitespace) })
    }
  }

  @Test func `blank lines at the end of a piece are counted`() throws {
    #expect(try pieces("{}\n\n \n", pieceBytes: 1000).map(\.blankLinesAtEnd) == [2])
    #expect(try pieces("{}\n{}\n", pieceBytes: 1000).map(\.blankLinesAtEnd) == [0])
    #expect(try pieces("{}\n{}", pieceBytes: 1000).map(\.blankLinesAtEnd) == [0, 0])
    #expect(try pieces("{}\n  ", pieceBytes: 1000).map(\.blankLinesAtEnd) == [0, 0])
    #expect(try pieces("\n \n", pieceBytes: 1000).map(\.blankLinesAtEnd) == [2])
  }

  @Test(arguments: [3, 50, 4096])
  func `a line that is too long is refused and the next ones are read`(step: Int) throws {
    let long = "{\"x\":\"" + String(repeating: "y", count: 500) + "\"}"
    let cut = try pieces("{\"a\":1}\n\(long)\n{\"b\":2}\n", step: step, eventBytes: 100)
    #expect(cut.map(text) == ["{\"a\":1}\n", "<a line of at most 100 bytes>", "{\"b\":2}\n"])
  }

  @Test func `a byte order mark is skipped`() throws {
    #expect(try pieces("\u{FEFF}{\"a\":1}\n", step: 1).map(text) == ["{\"a\":1}\n"])
  }

  @Test func `whole lines before a fault of the stream are kept, the broken one is not`() throws {
    let cut = try pieces("{\"a\":1}\n{\"b\":2}\n{\"c\":", failsAt: 20)
    #expect(cut.map(text).joined() == "{\"a\":1}\n{\"b\":2}\n")
  }

  @Test(arguments: [1, 13, 1000])
  func `a long array is cut between its elements`(step: Int) throws {
    let elements = (0..<40).map { "{\"n\":[\($0),{\"s\":\"],\\\"[\"}]}" }
    let cut = try pieces("[" + elements.joined(separator: ",") + "]\n", step: step)
    #expect(cut.count > 5)
    #expect(cut.allSatisfy { text($0).hasPrefix("[") })
    let joined = cut.map { text($0).trimmed.dropFirst().dropLast() }.joined(separator: ",")
    #expect(joined == elements.joined(separator: ","))
    let last = cut.map { piece in
      if case .document(_, let isLast) = piece.content { isLast } else { false }
    }
    #expect(last.firstIndex(of: true) == cut.count - 1)
  }

  @Test func `an element that is too long is refused and the next ones are read`() throws {
    let long = "{\"x\":\"" + String(repeating: "y", count: 500) + "\"}"
    for place in 0..<3 {
      var elements = ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]
      elements[place] = long
      let cut = try pieces(
        "[" + elements.joined(separator: ",") + "]", step: 11, pieceBytes: 8, eventBytes: 100)
      let texts = cut.map(text)
      #expect(texts.contains("<an array element of at most 100 bytes>"))
      let kept = elements.filter { $0 != long }
      for element in kept { #expect(texts.contains { $0.contains(element) }) }
      #expect(texts.last?.hasSuffix("]") == true)
    }
  }

  @Test func `a comma with nothing after it is left for the decoder to refuse`() throws {
    let cut = try pieces("[{\"a\":1},{\"b\":2},   ]", step: 4, pieceBytes: 4)
    #expect(cut.last.map(text) == "[,   ]")
  }

  @Test(arguments: [
    ("[{}]", InputLayout.array), ("  \n [", .array), ("{}\n{}", .lines), ("{}", .lines),
    ("{\n  \"time\": 1\n}", .value), ("{\"a\":1\n{\"b\":2}", .lines), ("garbage", .lines),
    ("", .lines),
    ("{\"a\": \"{\"}\n{", .lines),
  ])
  func `the layout is told by the first bytes`(text: String, layout: InputLayout) {
    #expect(InputLayout.told(by: Array(text.utf8)) == layout)
  }

  @Test func `an object over several lines is one piece`() throws {
    let object = "{\n  \"time\": 1,\n  \"model\": \"m\"\n}\n"
    #expect(try pieces(object).map(text) == [object])
    #expect(
      try pieces(object, eventBytes: 10).map(text) == ["<one JSON value of at most 10 bytes>"])
  }
}

extension String {
  fileprivate var trimmed: Substring {
    var text = self[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
