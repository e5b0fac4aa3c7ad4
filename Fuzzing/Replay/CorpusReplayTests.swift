import Foundation
import Testing

/// The corpora that fuzzing has gathered, and every input that once broke something, run through the
/// bodies that the fuzzer runs.
@Suite struct `The corpus` {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Corpus")

  @Test(arguments: FuzzTarget.allCases)
  func `of each target keeps what must hold`(target: FuzzTarget) throws {
    let folder = Self.folder.appending(path: target.rawValue)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    #expect(!(names.isEmpty && target.seeds.isEmpty))
    for name in names.sorted() {
      let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
      #expect(throws: Never.self, "\(target.rawValue)/\(name)") { try target.run(bytes) }
    }
    for seed in target.seeds {
      #expect(throws: Never.self, "a seed of \(target.rawValue)") { try target.run(seed) }
    }
  }
}
