internal import FarthingStore

/// How far the store has an agent's records: the state of a source position, durable in one step with
/// the events.
package struct ForwardPosition: Sendable, Equatable {
  /// Every record up to this one is stored.
  package var sequence: Int64 = 0
  /// Of the record behind it: lines that are stored already, which a crash between two records of the log
  /// leaves.
  package var lines = 0
  /// What the agent was called then.
  package var agent: String

  package init(sequence: Int64 = 0, lines: Int = 0, agent: String) {
    self.sequence = sequence
    self.lines = lines
    self.agent = agent
  }

  private static let prefix = "agent:"

  /// The source's name.
  package static func source(_ stream: UInt64) -> String {
    prefix + ForwardHead.text(stream: stream)
  }

  /// The stream that a source is; nil for other sources.
  package static func stream(_ source: String) -> UInt64? {
    source.hasPrefix(prefix)
      ? ForwardHead.stream(text: String(source.dropFirst(prefix.count))) : nil
  }

  package var bytes: [UInt8] { Array("agent 1 \(sequence) \(lines) \(agent)".utf8) }

  /// nil where the bytes are of another version, or none of ours.
  package init?(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    let parts = text.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0] == "agent", parts[1] == "1", let sequence = Int64(parts[2]),
      let lines = Int(parts[3]), sequence >= 0, lines >= 0
    else { return nil }
    self.init(sequence: sequence, lines: lines, agent: String(parts[4]))
  }

  func position(_ stream: UInt64) -> SourcePosition {
    SourcePosition(source: Self.source(stream), state: bytes)
  }
}
