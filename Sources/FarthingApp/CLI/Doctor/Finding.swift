internal import FarthingCore
internal import FarthingQuery

/// What a check of `farthing doctor` found.
struct Finding: Sendable, Equatable {
  /// How bad it is; a later one is worse.
  enum State: String, Sendable, CaseIterable, Comparable {
    case ok
    /// It works, and may not for long, or not as fast or as fully as it could.
    case warning
    /// Answers lack something, or a command will fail.
    case fault

    private var severity: Int {
      switch self {
      case .ok: 0
      case .warning: 1
      case .fault: 2
      }
    }

    static func < (left: State, right: State) -> Bool {
      left.severity < right.severity
    }
  }

  /// What was looked at, in a word.
  var check: String
  var state: State
  /// What is the case, in half a sentence.
  var text: String
  /// What to do about it; nil where there is nothing to do.
  var remedy: String?

  static func ok(_ check: String, _ text: String) -> Finding {
    Finding(check: check, state: .ok, text: text)
  }

  static func warning(_ check: String, _ text: String, _ remedy: String) -> Finding {
    Finding(check: check, state: .warning, text: text, remedy: remedy)
  }

  static func fault(_ check: String, _ text: String, _ remedy: String) -> Finding {
    Finding(check: check, state: .fault, text: text, remedy: remedy)
  }
}

extension Answer {
  /// The findings as rows: `check`, `state`, `finding`, `remedy`.
  init(_ findings: [Finding]) {
    self.init(
      columns: [.init("check"), .init("state"), .init("finding"), .init("remedy")],
      rows: findings.map { finding in
        [
          .text(finding.check), .text(finding.state.rawValue), .text(finding.text),
          finding.remedy.map { .text($0) } ?? .null,
        ]
      })
  }
}

extension Finding {
  /// Lines for people: the state, the check and what was found, with the remedy below.
  static func lines(_ findings: [Finding]) -> [String] {
    let width = findings.map(\.check.count).max() ?? 0
    let margin = String(repeating: " ", count: 9 + width + 2)
    return findings.flatMap { finding -> [String] in
      let state = finding.state.rawValue
      let head =
        state + String(repeating: " ", count: 9 - state.count) + finding.check
        + String(repeating: " ", count: width - finding.check.count + 2)
      return [head + finding.text.printable]
        + (finding.remedy.map { [margin + "→ " + $0.printable] } ?? [])
    }
  }
}
