/// A stream of synthetic events as NDJSON, in the order of arrival, equal for equal options.
package struct EventSynthesis {
  private let options: SynthesisOptions

  /// Builds the fleet; no event is made yet.
  ///
  /// - Throws: ``SynthesisError`` where an option is out of range or an incident's target names
  ///   nothing in the fleet.
  package init(_ options: SynthesisOptions) throws(SynthesisError) {
    try options.validate()
    self.options = options
  }

  /// Appends the next event, one line with its newline.
  ///
  /// - Returns: false, with nothing appended, once the stream has ended.
  package mutating func next(into bytes: inout [UInt8]) -> Bool {
    false
  }

  /// What was done to the stream so far, as a JSON array: one object an incident.
  package func labelsJSON() -> [UInt8] {
    Array("[]\n".utf8)
  }
}
