internal import CPCRE2

// Regular expressions over lines that anyone may have written.
//
// PCRE2 backtracks, so a pattern can be made to take time that grows exponentially with the line.
// Two bounds keep that from happening: a line is looked at up to `LinePattern.subjectLimit` bytes,
// and a match that takes more than `matchLimit` steps is given up and told apart from a line that
// does not match. docs/decisions/0013-mapping-files.md has the figures.
//
// Unsafe because the library is C: the compiled code and the match context are owned by the class
// and freed with it; subjects are borrowed for the length of one call.

/// A compiled regular expression in Perl's syntax, for texts in UTF-8 of which nothing is trusted.
///
/// `@unchecked Sendable`: compiled code and the context are never changed once the initialiser has
/// returned, which PCRE2 documents as safe to share; what a match writes is made for that match.
@safe package final class LinePattern: @unchecked Sendable {
  /// Bytes of a text beyond which it is not matched.
  package static let subjectLimit = 1 << 16
  /// Steps after which a match is given up: some milliseconds of work. A pattern that suits its
  /// lines needs about as many steps as the line has bytes.
  package static let matchLimit: UInt32 = 250_000

  /// What became of a match.
  package enum Outcome: Sendable, Equatable {
    case matched
    case unmatched
    /// The text is longer than ``subjectLimit``, or needs more than ``matchLimit`` steps.
    case givenUp
  }

  /// Why a pattern cannot be used.
  package struct Fault: Error, Sendable, Equatable {
    /// 0-based, in bytes of the pattern.
    package var offset: Int
    /// The library's sentence.
    package var message: String
  }

  private let code: OpaquePointer
  private let context: OpaquePointer
  /// Groups, the whole match not counted.
  package let groupCount: Int
  /// Named groups with their numbers, in the order of the names.
  package let groups: [(name: String, number: Int)]

  /// - Throws: `Fault` where the text is no regular expression.
  package init(_ pattern: String) throws(Fault) {
    var number: Int32 = 0
    var offset = 0
    let options =
      UInt32(PCRE2_UTF) | UInt32(PCRE2_MATCH_INVALID_UTF) | UInt32(PCRE2_NEVER_BACKSLASH_C)
      | UInt32(PCRE2_DOLLAR_ENDONLY)
    var bytes = Array(pattern.utf8)
    let length = bytes.count
    // An empty array has no address; the pattern's own length is what is read.
    bytes.append(0)
    let compiled = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe pcre2_compile_8(bytes.baseAddress, length, options, &number, &offset, nil)
    }
    guard let compiled = unsafe compiled else {
      throw Fault(offset: offset, message: Self.message(number))
    }
    guard let made = unsafe pcre2_match_context_create_8(nil) else {
      unsafe pcre2_code_free_8(compiled)
      throw Fault(offset: 0, message: "no memory for a match")
    }
    unsafe code = compiled
    unsafe context = made
    unsafe pcre2_set_match_limit_8(made, Self.matchLimit)
    unsafe pcre2_set_depth_limit_8(made, Self.matchLimit)
    // Kibibytes: what a match without compiled code may hold.
    unsafe pcre2_set_heap_limit_8(made, 16_384)
    // Where the machine has no compiler of patterns, they are interpreted.
    _ = unsafe pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
    var count: UInt32 = 0
    _ = unsafe pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
    groupCount = Int(count)
    groups = unsafe Self.names(compiled)
  }

  deinit {
    unsafe pcre2_match_context_free_8(context)
    unsafe pcre2_code_free_8(code)
  }

  /// Looks for the pattern in `bytes[range]`.
  ///
  /// - Parameter ranges: on a match becomes, for the whole match and each group, its range in
  ///   `bytes`, or an empty range at −1 where the group took no part.
  /// - Complexity: bounded by ``subjectLimit`` and ``matchLimit``.
  package func match(
    _ bytes: [UInt8], _ range: Range<Int>, ranges: inout [Range<Int>]
  ) -> Outcome {
    guard range.lowerBound >= 0, range.upperBound <= bytes.count,
      range.count <= Self.subjectLimit, !bytes.isEmpty
    else { return range.isEmpty ? matchEmpty(&ranges) : .givenUp }
    return search(bytes, range, &ranges)
  }

  private func matchEmpty(_ ranges: inout [Range<Int>]) -> Outcome {
    search([0], 0..<0, &ranges)
  }

  private func search(
    _ bytes: [UInt8], _ range: Range<Int>, _ ranges: inout [Range<Int>]
  ) -> Outcome {
    guard let found = unsafe pcre2_match_data_create_from_pattern_8(code, nil) else {
      return .givenUp
    }
    defer { unsafe pcre2_match_data_free_8(found) }
    // The caller has checked that the range lies in the array; the library reads no further.
    let count = unsafe bytes.withUnsafeBufferPointer { all in
      let subject = unsafe all.baseAddress.unsafelyUnwrapped + range.lowerBound
      let first = unsafe pcre2_match_8(code, subject, range.count, 0, 0, found, context)
      guard first == PCRE2_ERROR_JIT_STACKLIMIT else { return first }
      // The interpreter keeps its steps on the heap, whose limit is its own.
      return unsafe pcre2_match_8(
        code, subject, range.count, 0, UInt32(PCRE2_NO_JIT), found, context)
    }
    if count == PCRE2_ERROR_NOMATCH { return .unmatched }
    guard count > 0, let pairs = unsafe pcre2_get_ovector_pointer_8(found) else { return .givenUp }
    ranges.removeAll(keepingCapacity: true)
    // The block holds a pair for the whole match and for each group of the pattern it was made from.
    for group in 0...groupCount {
      let start = unsafe pairs[2 * group]
      let end = unsafe pairs[2 * group + 1]
      // `\K` in a look-ahead can put a start behind its end.
      let isSet = group < Int(count) && start != Int.max && UInt(start) <= UInt(end)
      ranges.append(
        isSet && end <= range.count
          ? range.lowerBound + Int(start)..<range.lowerBound + Int(end) : -1 ..< -1)
    }
    return .matched
  }

  private static func message(_ number: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    // The library writes at most as many bytes as it is told and ends them with a zero.
    let length = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      unsafe pcre2_get_error_message_8(number, bytes.baseAddress, bytes.count)
    }
    return String(decoding: buffer[..<max(0, min(Int(length), 255))], as: UTF8.self)
  }

  /// The table of names: entries of one size, each the number in two bytes, big end first, and the
  /// name with a zero behind it.
  @unsafe private static func names(_ code: OpaquePointer) -> [(name: String, number: Int)] {
    var count: UInt32 = 0
    var size: UInt32 = 0
    var table: UnsafePointer<UInt8>?
    guard unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count) == 0,
      unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &size) == 0,
      unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table) == 0,
      let table = unsafe table, size > 2
    else { return [] }
    return (0..<Int(count)).map { entry in
      let start = entry * Int(size)
      let number = unsafe Int(table[start]) << 8 | Int(table[start + 1])
      var name: [UInt8] = []
      for index in start + 2..<start + Int(size) {
        let byte = unsafe table[index]
        if byte == 0 { break }
        name.append(byte)
      }
      return (String(decoding: name, as: UTF8.self), number)
    }
  }
}
