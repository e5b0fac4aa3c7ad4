/// Why the store could not do what it was asked: the one error type at this target's border.
///
/// A program acts on ``code``; a person reads ``message``, which names the place, the value found,
/// what was expected and what to do about it.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kinds of failure that callers tell apart.
  package enum Code: String, Sendable, CaseIterable {
    /// A file or folder is not there.
    case notFound
    /// The operating system refuses access, or the medium is read-only.
    case accessDenied
    /// The disk, or the quota, is full; the same call may succeed once space returns.
    case diskFull
    /// The device or file system failed a call.
    case io
    /// Another process writes this folder.
    case locked
    /// Bytes at rest fail their checksum or break their format; the message names the place.
    case damaged
    /// The bytes follow a format version that this build does not know.
    case unsupportedVersion
    /// An argument that no store accepts, such as a folder path that is a file.
    case invalidArgument
    /// The writer is closed, or gave up after a failure that the message names.
    case closed
    /// A stated limit of the store would be exceeded.
    case limitExceeded
  }

  package var code: Code
  /// Whole sentence for a person; no secrets, no event contents.
  package var message: String
  /// The failure beneath this one, in its own words; nil where there is none.
  package var cause: String?

  package init(_ code: Code, _ message: String, cause: String? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  package var description: String {
    guard let cause else { return message }
    return "\(message) (\(cause))"
  }
}
