internal import FarthingCore

extension InputLayout {
  /// How the events lie in an input that begins with these bytes: as the decoder tells it, where a
  /// document that opens with a bracket is an array.
  static func told(by beginning: [UInt8]) -> InputLayout {
    guard EventDecoder.layout(of: beginning.span) == .document else { return .lines }
    let first = beginning.first { !$0.isJSONSpace }
    return first == UInt8(ascii: "[") ? .array : .value
  }
}
