import Foundation
import Testing

/// Compares a text with the file of that name in `Golden/`.
///
/// `FARTHING_RECORD_GOLDEN=1 swift test` writes the files anew; the difference is reviewed like code.
enum Golden {
  static func expect(
    _ actual: String, matches name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Golden").appending(path: name)
    if ProcessInfo.processInfo.environment["FARTHING_RECORD_GOLDEN"] != nil {
      try Data(actual.utf8).write(to: file)
      return
    }
    let expected = try String(decoding: Data(contentsOf: file), as: UTF8.self)
    #expect(actual == expected, "differs from Golden/\(name)", sourceLocation: sourceLocation)
  }
}
