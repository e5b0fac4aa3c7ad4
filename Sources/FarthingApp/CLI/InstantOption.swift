internal import FarthingCore
internal import FarthingQuery
internal import FarthingStore

/// Times in options other than those of a query's window.
enum InstantOption {
  /// Unix nanoseconds of an RFC 3339 time, a date, or a length of time ago.
  ///
  /// - Throws: ``CommandFailure`` with status 2 that quotes the text.
  static func parse(_ text: String, of flag: String) throws(CommandFailure) -> Int64 {
    guard let time = InstantParser.parse(text, now: HostProcess.now(), zone: .utc) else {
      throw .usage("\(flag): \"\(text.printable)\" is not \(InstantParser.expectation)")
    }
    return time
  }
}
