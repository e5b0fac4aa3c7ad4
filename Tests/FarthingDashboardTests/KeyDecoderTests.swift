import Testing

@testable import FarthingDashboard

@Suite("Keys")
struct KeyDecoderTests {
  static let sequences: [(bytes: String, keys: [Key])] = [
    ("j", [.character("j")]), ("é", [.character("é")]), ("\r", [.enter]), ("\t", [.tab]),
    ("\u{7F}", [.backspace]), ("\u{3}", [.control("c")]), ("\u{1B}[A", [.up]),
    ("\u{1B}[B", [.down]), ("\u{1B}OC", [.right]), ("\u{1B}[1;5D", [.left]),
    ("\u{1B}[H", [.home]), ("\u{1B}[4~", [.end]), ("\u{1B}[5~", [.pageUp]),
    ("\u{1B}[6~", [.pageDown]), ("\u{1B}[Z", [.backTab]), ("\u{1B}[3~", [.delete]),
    ("\u{1B}[<0;10;5M", [.click(x: 9, y: 4)]), ("\u{1B}[<0;10;5m", []),
    ("\u{1B}[<64;1;1M", [.wheel(x: 0, y: 0, isUp: true)]),
    ("\u{1B}[<65;200;90M", [.wheel(x: 199, y: 89, isUp: false)]),
    ("\u{1B}[200~q\ry\u{1B}[201~", [.paste("q\ry")]), ("\u{1B}[15~", []), ("\u{1B}[?1;2c", []),
    ("\u{1B}j", [.escape, .character("j")]), ("jk", [.character("j"), .character("k")]),
    ("\u{1B}[<0;99999999999999999999;5M", []), ("\u{1B}[<0;0;0M", []),
  ]

  @Test(arguments: sequences)
  func `a terminal's bytes are keys`(bytes: String, keys: [Key]) {
    var decoder = KeyDecoder()
    #expect(decoder.take(Array(bytes.utf8)) == keys)
    #expect(!decoder.isWaiting)
  }

  @Test(arguments: sequences)
  func `in pieces they are the same keys`(bytes: String, keys: [Key]) {
    var decoder = KeyDecoder()
    var found: [Key] = []
    for byte in bytes.utf8 { found += decoder.take([byte]) }
    #expect(found == keys)
  }

  @Test func `escape alone is a key once nothing follows`() {
    var decoder = KeyDecoder()
    #expect(decoder.take([0x1B]) == [])
    #expect(decoder.isWaiting)
    #expect(decoder.flush() == [.escape])
    #expect(!decoder.isWaiting)
  }

  @Test func `any bytes are taken without end or loss of what follows`() {
    var random = SeededRandom(3)
    for _ in 0..<300 {
      var decoder = KeyDecoder()
      _ = decoder.take((0..<80).map { _ in UInt8(random.next(256)) })
      // Whatever was open: the end of a paste, then a long nonsense sequence's limit.
      _ = decoder.take(Array("\u{1B}[201~".utf8))
      _ = decoder.take(Array(repeating: UInt8(ascii: "1"), count: 200))
      _ = decoder.take(Array("m".utf8))
      _ = decoder.flush()
      #expect(decoder.take(Array("q".utf8)).last == .character("q"))
    }
  }
}
