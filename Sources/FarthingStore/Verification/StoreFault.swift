/// One thing that a verification found.
package struct StoreFault: Sendable, Equatable {
  /// What it means for answers.
  package enum Severity: String, Sendable, Equatable {
    /// Bytes are wrong or missing.
    case damage
    /// An earlier start or `--set-aside` settled it: the rows are gone for good, and known to be.
    case recorded
    /// Nothing is lost by it.
    case harmless
  }

  package var severity: Severity
  /// Relative to the data folder.
  package var file: String
  /// What is wrong, and where.
  package var what: String
  /// Rows that no answer has because of it; nil where that is unknown.
  package var lostRows: Int?
  /// What to do about it.
  package var remedy: String
  /// The segment at fault, where it is one that the catalogue lists.
  package var segment: SegmentEntry?

  package init(
    _ severity: Severity, file: String, what: String, lostRows: Int?, remedy: String,
    segment: SegmentEntry? = nil
  ) {
    self.severity = severity
    self.file = file
    self.what = what
    self.lostRows = lostRows
    self.remedy = remedy
    self.segment = segment
  }
}

/// How far a verification has come.
package struct VerificationProgress: Sendable, Equatable {
  package var bytesDone = 0
  package var bytesTotal = 0
  /// The file at hand, relative to the data folder.
  package var file = ""
}

/// What a verification looked at.
package struct VerificationSummary: Sendable, Equatable {
  package var files = 0
  package var bytes = 0
  package var events = 0
  package var damaged = 0
  package var recorded = 0
  package var harmless = 0
}
