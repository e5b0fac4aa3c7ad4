// What a backup holds: the file MANIFEST. docs/format/backup.md has its form.
//
// A backup is what its manifest says. Copies that it does not name are remains or work in progress.

/// The list of a backup's copies.
package struct BackupManifest: Sendable, Equatable {
  /// One copied file.
  package struct Copy: Sendable, Equatable {
    /// In the folder `files` of the backup.
    package var name: String
    /// Relative to the data folder.
    package var original: String
    package var byteCount: Int
    /// Of the bytes; see ``FileCopier``.
    package var checksum: UInt64
    /// Whether the original failed its own checksums when it was copied.
    package var isDamaged = false
  }

  /// The store's random number: a backup goes on in a folder of the same store only.
  package var store: UInt64
  /// The catalogue's generation that the copies are of.
  package var generation: Int64
  /// Unix nanoseconds.
  package var createdAt: Int64
  /// By kind: rows in segments.
  package var rows: [Int]
  /// Files that the catalogue lists and that were not there.
  package var missing: [String] = []
  /// In the order of their names.
  package var copies: [Copy]

  package var byteCount: Int { copies.reduce(0) { $0 + $1.byteCount } }

  static let fileName = "MANIFEST"
  static let newName = "MANIFEST.new"
  static let lockName = "LOCK"
  static let folder = "files"
  private static let firstLine = "farthing backup 1"

  /// The lines of the file; the last one is a checksum of those before.
  func serialised() -> [UInt8] {
    var text = Self.firstLine + "\n"
    text += "store \(hex(store))\n"
    text += "generation \(generation)\n"
    text += "created \(createdAt)\n"
    text += "rows " + rows.map(String.init).joined(separator: " ") + "\n"
    for name in missing { text += "missing \(name)\n" }
    for copy in copies {
      text +=
        "\(copy.isDamaged ? "damaged" : "file") \(hex(copy.checksum)) \(copy.byteCount) "
        + "\(copy.name) \(copy.original)\n"
    }
    let body = Array(text.utf8)
    return body + Array("end \(hex(XXH64.hash(body.span)))\n".utf8)
  }

  /// Reads the manifest of a backup; nil where there is none.
  ///
  /// - Throws: `damaged`, `unsupportedVersion`, `io`, `accessDenied`.
  package static func read(
    _ directory: String, fileSystem: any FileSystem
  ) throws(StoreError) -> BackupManifest? {
    let path = "\(directory)/\(fileName)"
    guard try fileSystem.size(path) != nil else { return nil }
    let bytes = try fileSystem.contents(of: path)
    let text = String(decoding: bytes, as: UTF8.self)
    if text.hasPrefix("farthing backup "), !text.hasPrefix(firstLine + "\n") {
      throw StoreError(
        .unsupportedVersion,
        "\(path) is of a version that this build does not know; use the newer build")
    }
    guard let manifest = BackupManifest(bytes) else {
      throw StoreError(
        .damaged, "\(path) is no intact list of a backup; use another backup, or make it anew")
    }
    return manifest
  }

  init(
    store: UInt64, generation: Int64, createdAt: Int64, rows: [Int], missing: [String],
    copies: [Copy]
  ) {
    self.store = store
    self.generation = generation
    self.createdAt = createdAt
    self.rows = rows
    self.missing = missing
    self.copies = copies
  }

  /// nil where the bytes are not what ``serialised()`` writes.
  init?(_ bytes: [UInt8]) {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count >= 6, lines[0] == Self.firstLine else { return nil }
    store = 0
    generation = 0
    createdAt = 0
    rows = []
    copies = []
    for line in lines.dropFirst().dropLast() {
      let words = line.split(separator: " ")
      switch (words.first, words.count) {
      case ("store", 2): store = UInt64(words[1], radix: 16) ?? 0
      case ("generation", 2): generation = Int64(words[1]) ?? 0
      case ("created", 2): createdAt = Int64(words[1]) ?? 0
      case ("rows", 4): rows = words.dropFirst().map { Int($0) ?? 0 }
      case ("missing", 2): missing.append(String(words[1]))
      case ("file", 5), ("damaged", 5):
        guard let checksum = UInt64(words[1], radix: 16), let count = Int(words[2]), count >= 0,
          Self.isPlain(words[3]), words[4].split(separator: "/").allSatisfy(Self.isPlain),
          !words[4].hasPrefix("/")
        else { return nil }
        copies.append(
          Copy(
            name: String(words[3]), original: String(words[4]), byteCount: count,
            checksum: checksum, isDamaged: words[0] == "damaged"))
      default: return nil
      }
    }
    // The one form of these values is the one that was written.
    guard serialised() == bytes else { return nil }
  }

  /// Whether a word is the name of a file beside others, and no way out of their folder.
  private static func isPlain(_ word: Substring) -> Bool {
    !word.isEmpty && !word.hasPrefix(".") && !word.contains("/")
  }
}
