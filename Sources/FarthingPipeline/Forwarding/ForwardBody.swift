package import FarthingStore

/// The body of a batch: the sections of its records as one zstd stream.
///
/// Frames follow each other as they stand in the spool, so forwarding compresses nothing anew. Only
/// records that are small by themselves, such as single events, are expanded and compressed together: on
/// a thin line that is worth its time, since what they share is written once.
package enum ForwardBody {
  /// Records with less text than this on average are compressed anew.
  static let smallSection = 16 << 10

  /// - Throws: `damaged` where a record's frame cannot be expanded; its checksum held, so a foreign
  ///   writer made it. `limitExceeded` where there is no memory.
  package static func make(_ records: [SpoolRecord]) throws(StoreError) -> [UInt8] {
    let text = records.reduce(0) { $0 + $1.textBytes }
    guard records.count > 1, text / records.count < smallSection else {
      return records.flatMap(\.frame)
    }
    var plain: [UInt8] = []
    plain.reserveCapacity(text)
    var section: [UInt8] = []
    let expander = ZstdExpander()
    for record in records {
      guard expander.expand(record.frame.span, count: record.textBytes, into: &section) else {
        throw StoreError(
          .damaged, "record \(record.sequence) of the spool cannot be expanded")
      }
      plain += section
    }
    var body: [UInt8] = []
    let limit = plain.count + plain.count / 128 + 1024
    guard ZstdCompressor().compress(plain.span, limit: limit, into: &body) else {
      throw StoreError(.limitExceeded, "there is no memory to compress events")
    }
    return body
  }
}
