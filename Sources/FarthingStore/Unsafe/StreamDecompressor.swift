internal import CZlib
internal import CZstd

// Compressed input files, piece by piece.
//
// Unsafe because: zlib and libzstd take pointers. The input pointer is that of the supplied array
// for the length of one call; the output pointer is that of an array that was grown first to the
// size told to the library. The library's state is allocated once, used by one object and freed
// with it.

/// How an input file is compressed.
package enum StreamCompression: String, Sendable, CaseIterable {
  case gzip
  case zstd

  /// What the first bytes of a file say; nil where they say neither. Four bytes are enough.
  package static func detect(_ bytes: some Sequence<UInt8>) -> StreamCompression? {
    let first = Array(bytes.prefix(4))
    if first.starts(with: [0x1F, 0x8B]) { return .gzip }
    if first == [0x28, 0xB5, 0x2F, 0xFD] { return .zstd }
    // A frame that readers skip, which may come before the first frame with content.
    if first.count == 4, first[0] & 0xF0 == 0x50, first[1...] == [0x2A, 0x4D, 0x18] {
      return .zstd
    }
    return nil
  }
}

/// Expands one compressed stream. Not for use by two threads at once.
///
/// Hand it pieces with ``supply(_:)``; after each, call ``produce(into:upTo:)`` until it answers
/// that it needs more; at the end of the input call ``finish()``. Output comes in pieces of a size
/// that the caller bounds, whatever the input claims. Concatenated members or frames are one
/// stream.
@safe
package final class StreamDecompressor {
  private let compression: StreamCompression
  private let maximumOutput: Int
  private var inflate: UnsafeMutablePointer<z_stream>?
  private var frames: OpaquePointer?
  private var input: [UInt8] = []
  private var place = 0
  private var produced = 0
  /// Whether a member or frame has begun and not ended.
  private var isInside = false
  private var hasBegun = false
  /// The library may hold expanded bytes that found no room in the last piece.
  private var mayHoldOutput = false
  private let largestWindow: Int

  /// The largest window of a zstd frame that is accepted, as a power of two: 128 MiB, what the
  /// `zstd` tool writes at most without `--long`.
  package static let usualWindow = 27

  /// - Parameters:
  ///   - maximumOutput: expanded bytes beyond which the stream is refused.
  ///   - largestWindow: the largest window of a zstd frame, as a power of two from 10 to 31; the
  ///     library takes that much memory.
  /// - Throws: `limitExceeded` where the library has no memory.
  package init(
    _ compression: StreamCompression, maximumOutput: Int = .max,
    largestWindow: Int = StreamDecompressor.usualWindow
  ) throws(StoreError) {
    self.compression = compression
    self.maximumOutput = maximumOutput
    self.largestWindow = min(31, max(10, largestWindow))
    switch compression {
    case .gzip:
      let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      unsafe state.initialize(to: z_stream())
      unsafe inflate = state
      // 15 bits of window, plus 16: a gzip header and nothing else.
      let status = unsafe inflateInit2_(
        state, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      guard status == Z_OK else { throw Self.noMemory }
    case .zstd:
      unsafe frames = ZSTD_createDCtx()
      guard let frames = unsafe frames else { throw Self.noMemory }
      unsafe _ = ZSTD_DCtx_setParameter(
        frames, ZSTD_d_windowLogMax, Int32(self.largestWindow))
    }
  }

  deinit {
    if let state = unsafe inflate {
      unsafe _ = inflateEnd(state)
      unsafe state.deallocate()
    }
    unsafe _ = ZSTD_freeDCtx(frames)
  }

  /// Takes the next piece of compressed bytes. What is left of the one before stays in front.
  package func supply(_ piece: [UInt8]) {
    if place < input.count {
      input.removeFirst(place)
      input.append(contentsOf: piece)
    } else {
      input = piece
    }
    place = 0
  }

  /// Appends up to `limit` expanded bytes to `output`.
  ///
  /// - Returns: whether more may come without further input.
  /// - Throws: `damaged` where the input is not valid; `limitExceeded` beyond the maximum.
  package func produce(
    into output: inout [UInt8], upTo limit: Int
  ) throws(StoreError) -> Bool {
    guard limit > 0 else { return place < input.count || mayHoldOutput }
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: limit))
    var written = 0
    var fault: StoreError?
    do throws(StoreError) {
      while written < limit, place < input.count || mayHoldOutput {
        let before = (place, written)
        switch compression {
        case .gzip: written += try inflateStep(&output, at: start + written, limit - written)
        case .zstd: written += try framesStep(&output, at: start + written, limit - written)
        }
        mayHoldOutput = written == limit
        if before == (place, written) { break }
      }
    } catch {
      fault = error
    }
    output.removeLast(limit - written)
    produced += written
    if let fault { throw fault }
    if produced > maximumOutput {
      throw StoreError(
        .limitExceeded,
        "the \(compression) data expands to more than \(maximumOutput) bytes, the most that is taken"
      )
    }
    return place < input.count || mayHoldOutput
  }

  /// Says that the input has ended.
  ///
  /// - Throws: `damaged` where a member or frame is not complete.
  package func finish() throws(StoreError) {
    guard !isInside, place >= input.count, hasBegun else {
      throw StoreError(
        .damaged,
        "the \(compression) data ends early: the file is cut short; expanded so far: \(produced) bytes"
      )
    }
  }

  // MARK: - Steps

  private func inflateStep(
    _ output: inout [UInt8], at start: Int, _ room: Int
  ) throws(StoreError) -> Int {
    guard let state = unsafe inflate else { return 0 }
    if !isInside, hasBegun {
      // Zeros may pad the end of a file, as tape and block devices make them.
      while place < input.count, input[place] == 0 { place += 1 }
    }
    guard place < input.count || isInside else { return 0 }
    if place < input.count {
      isInside = true
      hasBegun = true
    }
    let offered = min(input.count - place, 1 << 30)
    let accepted = min(room, 1 << 30)
    var status = Z_OK
    unsafe input.withUnsafeMutableBufferPointer { source in
      unsafe output.withUnsafeMutableBufferPointer { target in
        unsafe state.pointee.next_in = source.baseAddress.map { unsafe $0 + place }
        unsafe state.pointee.avail_in = UInt32(offered)
        unsafe state.pointee.next_out = target.baseAddress.map { unsafe $0 + start }
        unsafe state.pointee.avail_out = UInt32(accepted)
        status = unsafe CZlib.inflate(state, Z_NO_FLUSH)
      }
    }
    place += unsafe offered - Int(state.pointee.avail_in)
    let written = unsafe accepted - Int(state.pointee.avail_out)
    switch status {
    case Z_STREAM_END:
      isInside = false
      unsafe _ = inflateReset(state)
    case Z_OK, Z_BUF_ERROR:
      break
    case Z_MEM_ERROR:
      throw Self.noMemory
    default:
      let words = unsafe state.pointee.msg.map { unsafe String(cString: $0) }
      throw invalid(words ?? "a preset dictionary is asked for")
    }
    return written
  }

  private func framesStep(
    _ output: inout [UInt8], at start: Int, _ room: Int
  ) throws(StoreError) -> Int {
    guard let frames = unsafe frames else { return 0 }
    if place < input.count {
      isInside = true
      hasBegun = true
    }
    guard isInside else { return 0 }
    var consumed = 0
    var written = 0
    var status = 0
    unsafe input.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: place)
        var into = unsafe ZSTD_outBuffer(
          dst: target.baseAddress, size: start + room, pos: start)
        status = unsafe ZSTD_decompressStream(frames, &into, &from)
        consumed = unsafe from.pos - place
        written = unsafe into.pos - start
      }
    }
    if ZSTD_isError(status) != 0 {
      let words = unsafe String(cString: ZSTD_getErrorName(status))
      throw words == Self.windowWords ? windowFault : invalid(words)
    }
    place += consumed
    if status == 0 { isInside = false }
    return written
  }

  /// How zstd calls a frame whose window is above what was set (`frameParameter_windowTooLarge`); its
  /// codes are in a header that is not part of its stable interface.
  private static let windowWords = "Frame requires too much memory for decoding"

  private var windowFault: StoreError {
    StoreError(
      .invalidArgument,
      "the zstd data asks for a window of more than \((1 << largestWindow) >> 20) MiB, the most that is "
        + "taken; compress it without --long, or below level 20")
  }

  private func invalid(_ words: String) -> StoreError {
    StoreError(
      .damaged,
      "the \(compression) data is damaged after \(produced) expanded bytes; check or fetch the file again",
      cause: words)
  }

  private static let noMemory = StoreError(
    .limitExceeded, "there is no memory to expand compressed input; free some and try again")
}
