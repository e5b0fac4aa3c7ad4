internal import FarthingStore

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

  func open() throws(StoreError) -> ByteSource {
    switch self {
    case .standardInput: ByteSource.standardInput()
    case .file(let path): try ByteSource.open(path)
    }
  }
}
