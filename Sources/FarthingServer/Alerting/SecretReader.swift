internal import FarthingPipeline
internal import FarthingStore

/// Reads secrets anew for each use: they may have been exchanged.
struct SecretReader: Sendable {
  /// A variable of the environment; nil where it is not set.
  var environment: @Sendable (String) -> String?

  /// A secret without the white space around it.
  ///
  /// - Parameter name: what a failure calls it.
  func read(_ source: SecretSource?, _ name: String) throws(DeliveryFailure) -> String {
    let text: String
    switch source {
    case .environment(let variable):
      guard let value = environment(variable) else {
        throw DeliveryFailure(message: "\(name): the variable \(variable) is not set")
      }
      text = value
    case .file(let path):
      do throws(StoreError) {
        text = String(decoding: try PosixFileSystem().contents(of: path), as: UTF8.self)
      } catch {
        throw DeliveryFailure(message: "\(name): \(error.message)")
      }
    case nil: throw DeliveryFailure(message: "\(name) is not configured")
    }
    let trimmed = text.split(whereSeparator: \.isNewline).joined(separator: "\n").trimmed
    guard !trimmed.isEmpty else { throw DeliveryFailure(message: "\(name) is empty") }
    return trimmed
  }
}
