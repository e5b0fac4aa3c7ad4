internal import FarthingCore

/// A dashboard: rows of panels, each a question and how its answer is drawn.
package struct Board: Sendable, Hashable {
  /// What `:` and `--dashboard` call it.
  package var name: String
  package var title: String
  /// How far it looks back, nanoseconds.
  package var range: Int64
  package var rows: [BoardRow]

  package init(name: String, title: String, range: Int64, rows: [BoardRow]) {
    self.name = name
    self.title = title
    self.range = range
    self.rows = rows
  }

  /// All panels in reading order.
  package var panels: [Panel] { rows.flatMap(\.panels) }
}

/// Panels that stand side by side.
package struct BoardRow: Sendable, Hashable {
  /// Lines that it wants; nil for its share of what is left.
  package var height: Int?
  /// From 1 to 9: where a screen is too low, the rows of the least go first.
  package var importance: Int
  package var panels: [Panel]

  package init(height: Int? = nil, importance: Int = 5, panels: [Panel]) {
    self.height = height
    self.importance = importance
    self.panels = panels
  }
}

/// One panel of a dashboard.
package struct Panel: Sendable, Hashable {
  /// How an answer is drawn.
  package enum Kind: String, Sendable, CaseIterable {
    case stat
    case timeseries
    case bar
    case table
    case heatmap
    case incidents
    case isolations
    case budget
    case sites
    /// The requests themselves, the latest first.
    case requests
  }

  /// A metric's rate instead of its sum.
  package enum Rate: String, Sendable, CaseIterable {
    case second, minute, hour, day

    package var nanoseconds: Int64 {
      switch self {
      case .second: CivilTime.second
      case .minute: CivilTime.minute
      case .hour: CivilTime.hour
      case .day: CivilTime.day
      }
    }
  }

  /// The window that a panel looks at.
  package enum Window: Sendable, Hashable {
    /// The range that the reader has chosen.
    case range
    /// The last so many nanoseconds, whatever the range is.
    case last(Int64)
    /// The calendar month so far, in UTC.
    case month
  }

  /// From where on a figure is shown as a warning or as trouble.
  package struct Thresholds: Sendable, Hashable {
    package var warning: Double?
    package var trouble: Double?
    /// Whether little is bad, as of a hit rate.
    package var isLowBad: Bool

    package init(warning: Double? = nil, trouble: Double? = nil, isLowBad: Bool = false) {
      self.warning = warning
      self.trouble = trouble
      self.isLowBad = isLowBad
    }

    func ink(_ number: Double?, else ink: Ink) -> Ink {
      guard let number else { return ink }
      func isBeyond(_ limit: Double?) -> Bool {
        limit.map { isLowBad ? number <= $0 : number >= $0 } ?? false
      }
      return isBeyond(trouble) ? .trouble : isBeyond(warning) ? .warning : ink
    }
  }

  package var kind: Kind
  package var title: String
  /// By their names, each known to the catalogue.
  package var metrics: [String]
  /// The groupings that a reader can choose from, each of one or more fields.
  package var groupings: [[String]]
  /// In the filter language; nil for all requests.
  package var filter: String?
  package var order: String?
  package var limit: Int
  package var window: Window
  package var rate: Rate?
  /// By metric; money in dollars, shares as 0.05, times in milliseconds.
  package var thresholds: [String: Thresholds]
  /// What the figure is held against, in the metric's unit: a latency budget.
  package var target: Double?
  /// Its share of the row's width.
  package var weight: Int

  package init(
    _ kind: Kind, title: String = "", metrics: [String] = [], groupings: [[String]] = [],
    filter: String? = nil, order: String? = nil, limit: Int = 50, window: Window = .range,
    rate: Rate? = nil, thresholds: [String: Thresholds] = [:], target: Double? = nil,
    weight: Int = 1
  ) {
    self.kind = kind
    self.title = title
    self.metrics = metrics
    self.groupings = groupings
    self.filter = filter
    self.order = order
    self.limit = limit
    self.window = window
    self.rate = rate
    self.thresholds = thresholds
    self.target = target
    self.weight = weight
  }
}
