import Foundation
import Testing

@testable import FarthingCore
@testable import FarthingPipeline

/// Captured payloads, where the machine has them: named by `FARTHING_SHARED`, or in `shared` beside
/// the package. Tests that need them are skipped where they are not.
enum Fixtures {
  static let directory: URL? = {
    let candidates: [URL]
    if let path = ProcessInfo.processInfo.environment["FARTHING_SHARED"] {
      candidates = [URL(fileURLWithPath: path)]
    } else {
      var root = URL(fileURLWithPath: #filePath)
      for _ in 0..<4 { root.deleteLastPathComponent() }
      // A checkout may lie one level deeper than the folder that `shared` is in.
      candidates = [
        root.deletingLastPathComponent().appendingPathComponent("shared"),
        root.deletingLastPathComponent().deletingLastPathComponent()
          .appendingPathComponent("shared"),
      ]
    }
    return candidates.map { $0.appendingPathComponent("fixtures") }
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }()

  static var areThere: Bool { directory != nil }

  static func bytes(_ path: String) throws -> [UInt8] {
    let folder = try #require(directory)
    return [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
  }

  static func expected(_ capture: String) throws -> JSONValue {
    try JSONTree(try bytes("\(capture)/expected.json")).root
  }

  /// What an expected call says about a field, as text; nil where it is not there.
  static func literal(_ call: JSONValue, _ field: String) -> String? {
    call[JSONPath(key: field)]?.literal
  }
}

/// A decoded event as texts by field name, for comparison.
struct PlainEvent {
  var event: DecodedEvent
  var batch: DecodedBatch

  func text(_ field: TextField) -> String? { event.range(of: field).map(batch.string) }

  var tags: [String: String] {
    Dictionary(
      uniqueKeysWithValues: batch.entries[event.tags].map {
        (batch.string($0.name), batch.string($0.text))
      })
  }
}

let clock: Int64 = 1_795_300_000_000_000_000
