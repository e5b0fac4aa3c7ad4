package import FarthingCore

/// The event contract's own JSON.
package struct NativeCollector: EventCollector {
  private var decoder: EventDecoder

  /// - Parameter now: The clock in Unix nanoseconds.
  package init(now: Int64) { decoder = EventDecoder(now: now) }

  package var name: String { SourceFormat.events.rawValue }

  package mutating func decode(_ bytes: [UInt8], _ context: CollectionContext) -> DecodedBatch {
    decoder.decode(
      bytes, firstLine: context.firstLine, layout: EventDecoder.layout(of: bytes.span))
  }
}
