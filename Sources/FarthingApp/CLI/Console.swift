internal import FarthingStore
internal import Synchronization

/// Standard output for results, standard error for everything else.
enum Console {
  private static let outputGone = Atomic(false)

  /// Whether what reads standard output has closed it.
  static var isOutputGone: Bool { outputGone.load(ordering: .relaxed) }

  /// Writes a piece of the result.
  ///
  /// - Throws: ``StoreError`` with `closed` where nobody reads any more, `diskFull` or `io`.
  static func result(_ bytes: [UInt8]) throws(StoreError) {
    do {
      try HostProcess.write(bytes, to: .output)
    } catch {
      if error.code == .closed { outputGone.store(true, ordering: .relaxed) }
      throw error
    }
  }

  static func result(_ text: String) throws(StoreError) { try result(Array((text + "\n").utf8)) }

  /// Writes what no failure of the writing may change, such as help.
  static func write(_ bytes: [UInt8]) { try? HostProcess.write(bytes, to: .output) }

  /// Tells standard error one line. There is nobody left to tell where that fails.
  static func note(_ text: String) {
    try? HostProcess.write(Array((text + "\n").utf8), to: .error)
  }

  static func raw(_ text: String) { try? HostProcess.write(Array(text.utf8), to: .error) }

  /// What standard output can show: the terminal's width and whether it is to be coloured.
  ///
  /// Without a terminal charts are 80 cells wide, or what `COLUMNS` says.
  static func page() -> Page {
    let isTerminal = HostProcess.isTerminal(.output)
    let columns =
      HostProcess.terminalColumns(.output)
      ?? HostProcess.environment("COLUMNS").flatMap { Int($0) } ?? 80
    return Page(columns: min(columns, 400), hasColour: isTerminal && wantsColour)
  }

  /// `NO_COLOR` and a terminal that says it is dumb turn colour off.
  private static var wantsColour: Bool {
    HostProcess.environment("NO_COLOR") == nil && HostProcess.environment("TERM") != "dumb"
  }

  /// Whether progress may be drawn on standard error.
  static var showsProgress: Bool {
    HostProcess.isTerminal(.error) && HostProcess.environment("TERM") != "dumb"
  }
}
