// Merging small segments into one.
//
// Rows go block by block from the readers back into the form in which they arrived, and from there
// through the write buffer, so a merged segment is encoded like any other and nothing is computed
// anew: costs, states and prices are copied. Memory: one block of rows and one buffer.

internal import FarthingCore

/// Copies the rows of segments of one kind into a buffer.
struct SegmentMerge {
  private let scratch = ScanScratch()

  /// The rows of all segments, in the order given, in one buffer.
  ///
  /// - Throws: `damaged` where a block of a source is, `limitExceeded` where the rows do not fit.
  func merge(_ segments: [SegmentReader], kind: EventKind) throws(StoreError) -> WriteBuffer {
    let buffer = WriteBuffer(kind: kind)
    for segment in segments {
      let prices = try SegmentPrices(segment)
      for block in 0..<segment.blockCount {
        let rows = try BlockRows(segment, block: block, prices: prices, scratch: scratch)
        try rows.copy(to: buffer, prices: prices.stored)
      }
    }
    return buffer
  }
}
