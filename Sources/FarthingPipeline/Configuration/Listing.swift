/// Something that the configuration gives itself or names a file for.
package enum Listing<Value: Sendable & Equatable>: Sendable, Equatable {
  /// A file, read when the process starts and when it reloads its configuration.
  case file(String)
  /// The configuration says it.
  case given(Value)

  /// What is given; nil for a file's name.
  package var value: Value? {
    if case .given(let value) = self { value } else { nil }
  }
}
