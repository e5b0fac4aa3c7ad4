internal import CZstd

// Whole blocks through libzstd. Unsafe because: C takes pointers. They come from a span or an array
// for the length of one call, with that span's or array's own count as the bound; the contexts are
// freed when their owner goes.

/// Compresses blocks with one reused context. Not for use by two threads at once.
@safe
package final class ZstdCompressor {
  private let context: OpaquePointer?

  package init() {
    unsafe context = ZSTD_createCCtx()
  }

  deinit {
    unsafe _ = ZSTD_freeCCtx(context)
  }

  /// Appends the compressed form of `bytes` to `output`.
  ///
  /// - Returns: false, with `output` as it was, where libzstd fails (memory) or the result would not
  ///   be shorter than `limit` bytes.
  package func compress(
    _ bytes: Span<UInt8>, level: Int32 = 1, limit: Int, into output: inout [UInt8]
  ) -> Bool {
    guard let context = unsafe context, limit > 0 else { return false }
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: limit))
    let written = unsafe output.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_compressCCtx(
          context, target.baseAddress.map { unsafe $0 + start }, limit,
          source.baseAddress, source.count, level)
      }
    }
    let fits = ZSTD_isError(written) == 0 && written < limit
    output.removeLast(output.count - start - (fits ? written : 0))
    return fits
  }
}

/// Expands blocks with one reused context. Not for use by two threads at once.
@safe
package final class ZstdExpander {
  private let context: OpaquePointer?

  package init() {
    unsafe context = ZSTD_createDCtx()
  }

  deinit {
    unsafe _ = ZSTD_freeDCtx(context)
  }

  /// Expands `bytes` into `output`, which then holds exactly `count` bytes.
  ///
  /// - Returns: false where the input is damaged or expands to another size. `output` is then
  ///   unspecified. The caller bounds `count` before the call.
  package func expand(_ bytes: Span<UInt8>, count: Int, into output: inout [UInt8]) -> Bool {
    guard let context = unsafe context else { return false }
    // The frame says its size too; one that disagrees is refused before anything is allocated.
    let declared = unsafe bytes.withUnsafeBytes {
      unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count)
    }
    guard declared == UInt64(count) else { return false }
    resize(&output, to: count)
    let written = unsafe output.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_decompressDCtx(
          context, target.baseAddress, count, source.baseAddress, source.count)
      }
    }
    return ZSTD_isError(written) == 0 && written == count
  }
}

/// Makes `array` hold `count` elements; new ones are zero, kept ones unchanged.
///
/// A buffer that is reused block after block mostly has the right size already.
package func resize<Element: FixedWidthInteger>(_ array: inout [Element], to count: Int) {
  if array.count > count {
    array.removeLast(array.count - count)
  } else if array.count < count {
    array.append(contentsOf: repeatElement(0, count: count - array.count))
  }
}
