internal import FarthingCore

/// A panel of the board that is shown, and which part of it where a wide screen shows several groupings.
package struct PanelID: Sendable, Hashable {
  package var panel: Int
  package var part: Int

  package init(panel: Int, part: Int = 0) {
    self.panel = panel
    self.part = part
  }
}

/// One step of a drill-down: requests whose field has this value; nil for those without one.
package struct ScopeStep: Sendable, Hashable {
  package var field: String
  package var value: String?

  package init(field: String, value: String?) {
    self.field = field
    self.value = value
  }

  /// As the filter language has it.
  package var filter: String {
    guard let value else { return "\(field) is null" }
    return "\(field) = '\(value.replacing("'", with: "''"))'"
  }
}

/// What is asked before something is done.
package struct Proposal: Sendable, Hashable {
  package enum Action: Sendable, Hashable {
    case isolate(dimension: String, value: String, alert: String?)
    case release(id: String)
    case acknowledge(id: String)
  }

  package var action: Action
  /// What would happen, in one sentence.
  package var words: String

  package init(action: Action, words: String) {
    self.action = action
    self.words = words
  }
}

/// What lies over the panels.
package enum Overlay: Sendable, Hashable {
  case help
  case search
  case command(String)
  case confirmation(Proposal)
  /// Lines to scroll through; nil lines are still being asked for.
  case page(title: String, lines: [String]?, offset: Int)
}

/// All that a reader has chosen: what is shown, of which time, and where the cursor stands.
package struct TopState: Sendable, Hashable {
  /// A place that esc goes back to.
  package struct Place: Sendable, Hashable {
    var board: Board
    var scope: [ScopeStep]
    var focus: PanelID
    var isZoomed: Bool
  }

  /// How rows of a table are ordered.
  package struct Sorting: Sendable, Hashable {
    package var column: String
    package var isAscending: Bool
  }

  package var board: Board
  /// Nanoseconds that are looked at.
  package var range: Int64
  /// The moment that is looked at, Unix nanoseconds; nil while it is now.
  package var moment: Int64?
  /// Unix nanoseconds.
  package var now: Int64
  package var scope: [ScopeStep] = []
  /// What `:where` said.
  package var filter: String?
  package var search = ""
  package var focus = PanelID(panel: 0)
  package var cursors: [PanelID: Int] = [:]
  package var choices: [Int: Int] = [:]
  package var sortings: [PanelID: Sorting] = [:]
  package var isZoomed = false
  package var showsExact = false
  package var overlay: Overlay?
  package var back: [Place] = []
  /// What was done or could not be; the next key clears it.
  package var note: String?

  package init(board: Board, now: Int64, range: Int64? = nil, moment: Int64? = nil) {
    self.board = board
    self.range = range ?? board.range
    self.now = now
    self.moment = moment
    focus = PanelID(panel: board.panels.firstIndex { $0.kind == .table } ?? 0)
  }

  /// The end of what is looked at.
  package var until: Int64 { moment ?? now }

  /// The filter of a panel, with what the reader has narrowed all of them to.
  func filter(of panel: Panel) -> String? {
    var parts = [panel.filter, filter].compactMap { $0 }
    if parts.count + scope.count > 1 { parts = parts.map { "(\($0))" } }
    parts += scope.map(\.filter)
    return parts.isEmpty ? nil : parts.joined(separator: " and ")
  }

  /// The fields that a part of a panel is grouped by now.
  func grouping(_ id: PanelID) -> [String] {
    let all = board.panels.indices.contains(id.panel) ? board.panels[id.panel].groupings : []
    guard !all.isEmpty else { return [] }
    return all[((choices[id.panel] ?? 0) + id.part) % all.count]
  }
}
