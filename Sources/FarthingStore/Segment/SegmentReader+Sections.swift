internal import FarthingCore

// What a segment knows of all its rows together, read when somebody asks for it.

extension SegmentReader {
  /// The sums and sketches of all rows, without a scan.
  ///
  /// - Throws: `damaged`.
  package func totals() throws(StoreError) -> SegmentTotals {
    guard let bytes = try section(.sketches) else { return SegmentTotals(measures: measures) }
    do throws(EncodingFault) {
      return SegmentTotals(measures: measures, sketches: try SegmentTotals.sketches(bytes))
    } catch {
      throw damaged("section sketches", error)
    }
  }

  /// The serialised prices by `price` code, from 1 on.
  ///
  /// - Throws: `damaged`.
  func priceBytes() throws(StoreError) -> [[UInt8]] {
    guard let array = try section(.prices) else { return [] }
    do throws(EncodingFault) {
      let bytes = array.span
      var cursor = ByteCursor(bytes)
      var prices: [[UInt8]] = []
      for _ in 0..<(try cursor.count(bytes, upTo: array.count)) {
        prices.append(Array(array[try cursor.counted(bytes)]))
      }
      guard cursor.remaining == 0 else { throw EncodingFault("bytes are left over") }
      return prices
    } catch {
      throw damaged("section prices", error)
    }
  }

  /// The prices that rows of this segment were charged by: the n-th is that of code n + 1 of the
  /// column `price`.
  ///
  /// - Throws: `damaged`.
  package func storedPrices() throws(StoreError) -> [StoredPrice] {
    if kind(of: .price) == nil { return [] }
    let keys = try dictionary(.price)
    return try priceBytes().enumerated().map {
      StoredPrice(key: keys.string(of: UInt32($0 + 1)) ?? "", bytes: $1)
    }
  }

  /// The bytes of a section, checked; nil where the segment has none.
  ///
  /// - Throws: `damaged`, `io`.
  /// - Complexity: O(bytes); nothing is kept.
  package func section(_ section: SegmentSection) throws(StoreError) -> [UInt8]? {
    guard let part = sections[section] else { return nil }
    let scratch = ScanScratch()
    try load(part, what: "section \(section)", scratch: scratch)
    return scratch.block
  }
}
