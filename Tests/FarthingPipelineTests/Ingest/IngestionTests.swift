import FarthingCore
import FarthingStore
import Foundation
import Synchronization
import Testing

@testable import FarthingPipeline

/// Remembers the ids that it was handed, in order; an id that it knows is a duplicate.
private final class MemorySink: EventSink {
  let ids = Mutex<[String]>([])
  let flushes = Mutex(0)

  func append(_ batch: ChargedBatch, receivedTime: Int64) async throws -> AppendCount {
    var count = AppendCount(accepted: 0, duplicates: 0)
    #expect(batch.charges.count == batch.decoded.events.count)
    for event in batch.decoded.events {
      let id = event.range(of: .id).map(batch.decoded.string) ?? ""
      ids.withLock { known in
        if !id.isEmpty, known.contains(id) {
          count.duplicates += 1
        } else {
          known.append(id)
          count.accepted += 1
        }
      }
    }
    return count
  }

  func flush() async throws { flushes.withLock { $0 += 1 } }
}

@Suite("Ingesting files")
final class IngestionTests {
  private let folder: URL
  private let sink = MemorySink()
  private static let now: Int64 = 1_800_000_000_000_000_000

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "farthing-ingestion-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func event(_ n: Int, _ more: String = "") -> String {
    "{\"time\":\"2026-03-09T10:00:00Z\",\"id\":\"e\(n)\",\"model\":\"m\"\(more)}"
  }

  private func file(_ name: String, _ bytes: [UInt8]) throws -> IngestInput {
    let url = folder.appending(path: name)
    try Data(bytes).write(to: url)
    return .file(url.path)
  }

  private func file(_ name: String, _ text: String) throws -> IngestInput {
    try file(name, Array(text.utf8))
  }

  private func ingest(
    _ inputs: IngestInput..., configure: (inout Ingestion.Options) -> Void = { _ in }
  ) async throws -> IngestReceipt {
    var options = Ingestion.Options()
    options.limits.pieceBytes = 300
    configure(&options)
    var ingestion = Ingestion(
      options: options, book: .empty, sink: sink, clock: { IngestionTests.now })
    return try await ingestion.run(inputs)
  }

  private var storedIDs: [String] { sink.ids.withLock { $0 } }

  @Test(arguments: ["lines", "array", "CRLF lines"])
  func `events arrive in the order of the file whatever holds them`(layout: String) async throws {
    let events = (0..<200).map { event($0) }
    let text =
      switch layout {
      case "array": "[" + events.joined(separator: ",\n") + "]"
      case "lines": events.joined(separator: "\n")
      default: "\n" + events.joined(separator: "\r\n") + "\r\n\r\n"
      }
    let receipt = try await ingest(try file("events", text))
    #expect(receipt.accepted == 200)
    #expect(receipt.rejected == 0)
    #expect(receipt.failures.isEmpty)
    #expect(storedIDs == (0..<200).map { "e\($0)" })
    #expect(sink.flushes.withLock { $0 } == 1)
  }

  @Test func `an object over several lines is one event`() async throws {
    let text = "{\n  \"time\": \"2026-03-09T10:00:00Z\",\n  \"model\": \"m\",\n  \"id\": \"x\"\n}\n"
    #expect(try await ingest(try file("one.json", text)).accepted == 1)
    #expect(storedIDs == ["x"])
  }

  @Test func `refusals are named by the line of the file, over all pieces`() async throws {
    var lines = (0..<300).map { event($0) }
    for bad in [0, 17, 150, 299] { lines[bad] = event(bad, ",\"input_tokens\":-4") }
    lines[200] = ""
    lines[201] = "not json"
    let receipt = try await ingest(try file("events", lines.joined(separator: "\n")))
    #expect(receipt.accepted == 294)
    #expect(receipt.refusals.map(\.rejection.line) == [1, 18, 151, 202, 300])
    #expect(receipt.refusals[0].rejection.field == "input_tokens")
    #expect(receipt.refusals[0].rejection.value == "-4")
    #expect(receipt.refusals.allSatisfy { $0.input == nil })
  }

  @Test func `an array is refused by element and ends where its JSON breaks`() async throws {
    var elements = (0..<60).map { event($0) }
    elements[20] = event(20, ",\"attempt\":0")
    elements[40] = "{\"time\":}"
    let receipt = try await ingest(try file("a.json", "[" + elements.joined(separator: ",") + "]"))
    #expect(receipt.accepted == 39)
    #expect(receipt.refusals.map(\.rejection.line) == [21, 41])
    #expect(storedIDs.last == "e39")
  }

  @Test(arguments: [300, 1 << 19], [false, true])
  func `the receipt says how much follows the fault or the end of an array`(
    pieceBytes: Int, isCompressed: Bool
  ) async throws {
    let elements = (0..<60).map { event($0) }
    let head = "[" + elements[..<40].joined(separator: ",")
    let rest = "{\"time\":}," + elements[41...].joined(separator: ",") + "]"
    for (text, accepted, rejected, unread) in [
      (head + "," + rest, 40, 1, rest.utf8.count),
      (head + "]\n\n" + rest, 40, 1, rest.utf8.count),
      (head + " 5 " + rest, 40, 1, rest.utf8.count + 2),
      (head, 40, 1, 0), (head + "]\n", 40, 0, 0),
    ] {
      sink.ids.withLock { $0 = [] }
      let bytes = Array("\u{FEFF}\(text)".utf8)
      let input = try file("a.json", isCompressed ? Compressed.gzip(bytes) : bytes)
      let receipt = try await ingest(input) { $0.limits.pieceBytes = pieceBytes }
      #expect(receipt.accepted == accepted)
      #expect(receipt.rejected == rejected)
      #expect(receipt.failures.isEmpty)
      #expect(receipt.unread == (unread > 0 ? [.init(input: nil, bytes: unread)] : []))
    }
  }

  @Test func `lines that begin with a bracket are lines, and asked for by name always`()
    async throws
  {
    let text = "[2026-11-21] start\n" + event(1) + "\n[x]\n" + event(2)
    let receipt = try await ingest(try file("log", text))
    #expect(receipt.accepted == 2)
    #expect(receipt.refusals.map(\.rejection.line) == [1, 3])
    let array = try file("array", "[" + event(3) + "]\n" + event(4))
    let lines = try await ingest(array) {
      $0.format = .events
      $0.isLineByLine = true
    }
    #expect(lines.accepted == 1)
    #expect(lines.refusals.map(\.rejection.line) == [1])
    #expect(lines.unread.isEmpty)
  }

  @Test func `with several files each refusal names its file and the lines start anew`()
    async throws
  {
    let first = try file("first", [event(1), "x", event(2)].joined(separator: "\n"))
    let second = try file("second", ["y", event(3)].joined(separator: "\n"))
    let receipt = try await ingest(first, second)
    #expect(receipt.accepted == 3)
    #expect(receipt.refusals.map(\.input) == [first.name, second.name])
    #expect(receipt.refusals.map(\.rejection.line) == [2, 1])
  }

  @Test func `refusals beyond the limit are counted`() async throws {
    let text = (0..<50).map { _ in "{}" }.joined(separator: "\n")
    let receipt = try await ingest(try file("bad", text)) { $0.listedErrors = 7 }
    #expect(receipt.rejected == 50)
    #expect(receipt.refusals.count == 7)
  }

  @Test func `duplicates and unknown fields are counted`() async throws {
    let lines = [event(1), event(1), event(2, ",\"prompt\":\"secret\""), event(3, ",\"prompt\":1")]
    let receipt = try await ingest(try file("events", lines.joined(separator: "\n")))
    #expect(receipt.accepted == 3)
    #expect(receipt.duplicates == 1)
    #expect(receipt.unknownFields == ["prompt": 2])
  }

  @Test(arguments: [300, 1 << 19])
  func `a line that is too long is refused by its number and the others are kept`(
    pieceBytes: Int
  ) async throws {
    let long = event(2, ",\"x\":\"" + String(repeating: "y", count: 5000) + "\"")
    let text = [event(1), long, event(3), event(4, ",\"step\":0")].joined(separator: "\n")
    let receipt = try await ingest(try file("events", text)) {
      $0.limits = InputLimits(pieceBytes: min(pieceBytes, 1000), eventBytes: 1000)
    }
    #expect(receipt.accepted == 2)
    #expect(receipt.refusals.map(\.rejection.line) == [2, 4])
    #expect(receipt.refusals[0].rejection.expected == "a line of at most 1000 bytes")
  }

  // MARK: Compression and files that are not what they claim

  @Test func `gzip and zstd are told by their first bytes`() async throws {
    let text = (0..<40).map { event($0) }.joined(separator: "\n")
    let gzip = try file("a.ndjson", Compressed.gzip(Array(text.utf8)))
    let zstd = try file("b.gz", Compressed.zstd(Array(text.utf8)))
    let receipt = try await ingest(gzip, zstd)
    #expect(receipt.accepted == 40)
    #expect(receipt.duplicates == 40)
    #expect(receipt.failures.isEmpty)
  }

  @Test func `of a gzip file that is cut short the whole lines are kept`() async throws {
    let text = (0..<400).map { event($0) }.joined(separator: "\n")
    let whole = Compressed.gzip(Array(text.utf8))
    let input = try file("cut.gz", Array(whole.prefix(whole.count / 2)))
    let other = try file("other", event(1000))
    let receipt = try await ingest(input, other)
    #expect(receipt.accepted > 150)
    #expect(receipt.rejected == 0)
    #expect(storedIDs.last == "e1000")
    #expect(receipt.failures.count == 1)
    let message = try #require(receipt.failures.first).message
    #expect(message.hasPrefix("\(input.name): the gzip data ends early"))
    #expect(message.hasSuffix("the whole events before it were read"))
  }

  @Test func `a folder and a missing file are named and the others are read`() async throws {
    let missing = IngestInput.file(folder.appending(path: "nothing").path)
    let receipt = try await ingest(.file(folder.path), missing, try file("events", event(1)))
    #expect(receipt.accepted == 1)
    #expect(
      receipt.failures.map(\.message) == [
        "\(folder.path) is a folder, not a file", "\(missing.name) does not exist",
      ])
  }

  @Test(arguments: [
    ("a PNG image", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
    ("a Parquet file", Array("PAR1\n{}".utf8)), ("binary data", [0x7A, 0x00, 0x0A]),
    ("text in UTF-16", [0xFF, 0xFE, 0x7B, 0x00]),
  ])
  func `a file that is no text is refused as what it is`(kind: String, bytes: [UInt8]) async throws
  {
    let input = try file("x.ndjson", bytes)
    let receipt = try await ingest(input)
    #expect(receipt.accepted == 0)
    #expect(receipt.rejected == 0)
    #expect(
      receipt.failures.map(\.message) == [
        "\(input.name): this is \(kind), not JSON events; nothing of it was read"
      ])
  }

  @Test func `an empty file holds nothing and is no fault`() async throws {
    let receipt = try await ingest(try file("empty", ""), try file("blank", "\n\n  \n"))
    #expect(receipt == IngestReceipt())
  }

  @Test func `the number of workers changes nothing`() async throws {
    let text = (0..<500).map { event($0, $0 % 50 == 3 ? ",\"step\":0" : "") }
      .joined(separator: "\n")
    let input = try file("events", text)
    for workers in [1, 2, 7] {
      sink.ids.withLock { $0 = [] }
      let receipt = try await ingest(input) { $0.workers = workers }
      #expect(receipt.accepted == 490)
      #expect(receipt.refusals.map(\.rejection.line) == (0..<10).map { $0 * 50 + 4 })
      #expect(storedIDs == (0..<500).filter { $0 % 50 != 3 }.map { "e\($0)" })
    }
  }
}

/// Compressed forms that need no compressor: both formats have blocks of plain bytes.
enum Compressed {
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
    var rest = bytes[...]
    repeat {
      let block = rest.prefix(1000)
      rest = rest.dropFirst(1000)
      out.append(rest.isEmpty ? 1 : 0)
      let count = UInt16(block.count)
      out += [UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)]
      out += block
    } while !rest.isEmpty
    for value in [crc32(bytes), UInt32(bytes.count)] {
      out += (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
    return out
  }

  static func zstd(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xA0]
    out += (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) }
    var rest = bytes[...]
    repeat {
      let block = rest.prefix(1000)
      rest = rest.dropFirst(1000)
      let header = block.count << 3 | (rest.isEmpty ? 1 : 0)
      out += (0..<3).map { UInt8(truncatingIfNeeded: header >> ($0 * 8)) }
      out += block
    } while !rest.isEmpty
    return out
  }

  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 {
        let carry = crc & 1
        crc >>= 1
        if carry == 1 { crc ^= 0xEDB8_8320 }
      }
    }
    return ~crc
  }
}
