internal import FarthingCore

/// The formats of inputs that are understood.
package enum InputFormat: String, Sendable, CaseIterable {
  /// The event contract's own JSON.
  case events

  /// What an input is written in; nil where its first bytes fit none.
  ///
  /// Whatever could be a line of JSON is taken for events, so that a first line that is broken is
  /// refused by name and the others are read.
  static func told(by beginning: [UInt8]) -> InputFormat? { .events }

  /// How the events lie in an input of this format; nil to tell it by the first bytes.
  var layout: InputLayout? { nil }

  func decode(
    _ piece: InputPiece, with decoder: inout EventDecoder, now: Int64
  ) -> DecodedBatch {
    switch piece.content {
    case .oversized(let rejection):
      var batch = DecodedBatch()
      batch.rejections = [rejection]
      return batch
    case .lines(let bytes): return decoder.decode(bytes, layout: .lines)
    case .document(let bytes, _): return decoder.decode(bytes, layout: .document)
    }
  }
}
