/// Answers by the questions that they are to.
package struct Answers: Sendable, Hashable {
  private var kept: [Question: PanelAnswer] = [:]

  package init() {}

  package subscript(_ question: Question) -> PanelAnswer? {
    get { kept[question] }
    set { kept[question] = newValue }
  }

  /// The answer, or where it is not there yet one to nearly the same question: another range or order.
  func nearest(_ question: Question) -> (answer: PanelAnswer, isStale: Bool)? {
    if let answer = kept[question] { return (answer, false) }
    let near = kept.first { other, _ in
      other.subject == question.subject && other.by == question.by
        && other.filter == question.filter && other.isSlow == question.isSlow
        && (other.every == nil) == (question.every == nil) && Self.isAlike(other, question)
    }
    return near.map { ($0.value, true) }
  }

  private static func isAlike(_ left: Question, _ right: Question) -> Bool {
    switch (left.span, right.span) {
    case (.last, .last), (.before, .before), (.month, .month): true
    default: false
    }
  }

  /// Forgets what no question of the list asks for.
  package mutating func keep(_ questions: [Question]) {
    let wanted = Set(questions)
    if kept.count > 4 * wanted.count + 64 { kept = kept.filter { wanted.contains($0.key) } }
  }
}

/// All that a frame is drawn from, but for its size and theme.
package struct Scene: Sendable, Hashable {
  package var state: TopState
  package var answers: Answers
  /// The server or the folder that answers.
  package var place: String
  /// Whether alerts and isolations can be acted upon.
  package var canAct: Bool
  /// What the place has to say: damage, a lost connection; nil for nothing.
  package var warning: String?
  /// Questions that are being asked.
  package var isAsking: Bool

  package init(
    state: TopState, answers: Answers = Answers(), place: String, canAct: Bool = false,
    warning: String? = nil, isAsking: Bool = false
  ) {
    self.state = state
    self.answers = answers
    self.place = place
    self.canAct = canAct
    self.warning = warning
    self.isAsking = isAsking
  }
}

/// What the cursor stands on, for the keys that act on it.
package struct Selection: Sendable, Hashable {
  package var id: PanelID
  /// The row's place among the rows that are shown.
  package var row: Int
  /// The fields that name the row, with their values.
  package var dimensions: [ScopeStep]
  /// The id of an alert, an isolation or a request.
  package var identifier: String?
  /// The status of an alert or an isolation.
  package var status: String?
  /// Figures of the row by name, exact.
  package var exact: [String]
}

/// A drawn frame, with what the keys and the mouse need to know of it.
package struct Frame: Sendable {
  /// Where a part of a panel stands.
  package struct Part: Sendable, Hashable {
    package var id: PanelID
    package var box: Box
    /// Lines of rows on the screen: the first one's y, and the place of the row that it shows.
    package var firstLine = 0
    package var firstRow = 0
    package var shownRows = 0
    package var rowCount = 0
    /// The columns that it can be ordered by.
    package var columns: [String] = []
  }

  package var canvas: Canvas
  package var parts: [Part]
  package var selection: Selection?

  func part(_ id: PanelID) -> Part? { parts.first { $0.id == id } }
}
