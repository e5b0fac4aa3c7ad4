package import FarthingStore

/// Where events are read from.
package enum IngestInput: Sendable, Equatable {
  case standardInput
  case file(String)

  /// - Parameter word: A path, or `-` for standard input.
  package init(word: String) { self = word == "-" ? .standardInput : .file(word) }

  /// What messages call it.
  package var name: String {
    switch self {
    case .standardInput: "standard input"
    case .file(let path): path
    }
  }

  /// Opens it.
  ///
  /// - Throws: as ``ByteSource/open(_:)`` does.
  package func open() throws(StoreError) -> ByteSource {
    switch self {
    case .standardInput: ByteSource.standardInput()
    case .file(let path): try ByteSource.open(path)
    }
  }

  /// The path of the file that describes a raw response: `NAME.meta.json` beside `NAME.body`.
  var metadataPath: String? {
    guard case .file(let path) = self, path.hasSuffix(".body") else { return nil }
    return path.dropLast(5) + ".meta.json"
  }

  /// Whether the input only describes another one of `inputs`.
  func isMetadata(among inputs: [IngestInput]) -> Bool {
    guard case .file(let path) = self, path.hasSuffix(".meta.json") else { return false }
    return inputs.contains(.file(path.dropLast(10) + ".body"))
  }

  /// What the metadata file says; nil where there is none that can be read.
  func metadata() -> [UInt8]? {
    guard let metadataPath, let source = try? ByteSource.open(metadataPath) else { return nil }
    var bytes: [UInt8] = []
    while bytes.count <= 1 << 20 {
      guard let count = try? source.read(appendingTo: &bytes, count: 1 << 16) else { return nil }
      if count == 0 { return bytes }
    }
    return nil
  }
}
