internal import FarthingCore

// What has to be asked for a panel of some size: the width of a chart decides the width of its buckets.

/// A panel of a board with its place and the reader's choices.
struct PanelView {
  let id: PanelID
  let panel: Panel
  let box: Box
  let isTile: Bool
  let state: TopState

  init(_ place: Layout.Place, _ state: TopState) {
    id = place.id
    panel = state.board.panels[place.id.panel]
    box = place.box
    isTile = place.isTile
    self.state = state
  }

  var grouping: [String] { state.grouping(id) }
  var filter: String? { state.filter(of: panel) }

  /// The window's length; of a month, about.
  var length: Int64 {
    switch panel.window {
    case .range: state.range
    case .last(let length): length
    case .month: 30 * CivilTime.day
    }
  }

  var span: Question.Span {
    switch panel.window {
    case .range: .last(state.range)
    case .last(let length): .last(length)
    case .month: .month
    }
  }

  var fast: [String] { panel.metrics.filter { !Question.isSlow($0) } }
  var slow: [String] { panel.metrics.filter { Question.isSlow($0) } }

  /// The order that the store is asked for: that of the reader, else the panel's own.
  var order: String? {
    if let sorting = state.sortings[id], panel.metrics.contains(sorting.column) {
      return sorting.column
    }
    return panel.order ?? panel.metrics.first
  }

  // MARK: Questions

  /// The figure of now.
  func current(isSlow: Bool) -> Question {
    Question(.figures, filter: filter, span: span, isSlow: isSlow)
  }

  /// The figure of the window before; nil of a month, which has none of its length.
  func previous(isSlow: Bool) -> Question? {
    guard case .last(let length) = span else { return nil }
    return Question(.figures, filter: filter, span: .before(length), isSlow: isSlow)
  }

  /// The figure over time, in at most so many buckets.
  func series(columns: Int, by: [String] = [], isSlow: Bool = false) -> Question {
    let length = panel.window == .month ? length : state.range
    return Question(
      .figures, by: by, filter: filter, span: .last(length),
      every: Buckets.width(for: length, columns: columns), isSlow: isSlow)
  }

  /// The figures by group.
  func groups(_ by: [String], isSlow: Bool) -> Question {
    Question(
      .figures, by: by, filter: filter, span: span, order: order, limit: panel.limit,
      isSlow: isSlow)
  }

  /// The requests themselves.
  var requests: Question { Question(.requests, filter: filter, span: span, limit: panel.limit) }
  var alerts: Question { Question(.alerts, span: span) }
  static let isolations = Question(.isolations, span: .last(0))
  static let budgets = Question(.budgets, span: .last(0))
  static let sites = Question(.sites, span: .last(0))

  /// Columns of a chart inside its frame.
  var chartColumns: Int { max(4, box.width - 4 - Self.axisWidth) }
  static let axisWidth = 9
  /// Columns of a tile's sparkline.
  var sparkColumns: Int { max(4, min(24, box.width - 2)) }
  /// Columns of a heat map beside its labels.
  var heatColumns: Int { max(4, box.width - 4 - labelWidth) }
  var labelWidth: Int { max(8, min(28, box.width / 4)) }
  /// Columns of a line beside its label and its last value.
  var lineColumns: Int { max(4, box.width - 4 - labelWidth - 12) }

  /// Adds what the panel wants to have asked.
  func ask(_ list: inout QuestionList) {
    switch panel.kind {
    case .stat, .budget:
      for (metrics, isSlow) in [(fast, false), (slow, true)] where !metrics.isEmpty {
        list.add(current(isSlow: isSlow), metrics)
        if let previous = previous(isSlow: isSlow) { list.add(previous, metrics) }
        if box.height >= 3, !isSlow { list.add(series(columns: sparkColumns), metrics) }
      }
      if panel.kind == .budget { list.add(Self.budgets, []) }
    case .timeseries:
      let columns = grouping.isEmpty ? chartColumns : lineColumns
      for (metrics, isSlow) in [(fast, false), (slow, true)] where !metrics.isEmpty {
        list.add(series(columns: columns, by: grouping, isSlow: isSlow), metrics)
      }
    case .heatmap:
      for (metrics, isSlow) in [(fast, false), (slow, true)] where !metrics.isEmpty {
        list.add(series(columns: heatColumns, by: grouping, isSlow: isSlow), metrics)
      }
    case .table, .bar, .sites:
      let by = panel.kind == .sites ? ["site"] : grouping
      list.add(groups(by, isSlow: false), fast)
      if !slow.isEmpty { list.add(groups(by, isSlow: true), slow) }
      if panel.kind == .sites { list.add(Self.sites, []) }
    case .incidents: list.add(alerts, [])
    case .isolations: list.add(Self.isolations, [])
    case .requests: list.add(requests, [])
    }
  }
}

/// Widths of time buckets.
package enum Buckets {
  /// Those that clocks and calendars have names for, in seconds.
  static let widths: [Int64] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200,
    86_400, 172_800, 259_200, 604_800,
  ]

  /// The narrowest of which at most so many cover the span, nanoseconds.
  package static func width(for span: Int64, columns: Int) -> Int64 {
    let least = widths.first { span / ($0 * CivilTime.second) <= Int64(max(1, columns)) }
    return (least ?? 604_800) * CivilTime.second
  }

  /// The width as the query language has it.
  package static func words(_ width: Int64) -> String {
    let seconds = width / CivilTime.second
    for (size, unit) in [(604_800 as Int64, "w"), (86_400, "d"), (3600, "h"), (60, "m")]
    where seconds >= size && seconds % size == 0 {
      return "\(seconds / size)\(unit)"
    }
    return "\(seconds)s"
  }
}
