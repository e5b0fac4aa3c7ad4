/// The rows of a grouped answer as a panel shows them: the quick figures joined with the slow ones,
/// narrowed by the reader's search, in the reader's order.
struct GroupRows {
  struct Row {
    var key: [Figure]
    /// By metric, as the panel lists them.
    var figures: [Figure]
    /// The share of its requests that have a price; nil where nobody knows.
    var coverage: Double?
  }

  var rows: [Row]
  /// Rows before the search.
  var total: Int
  var found: (answer: PanelAnswer, isStale: Bool)?

  init(_ view: PanelView, _ scene: Scene, by: [String]) {
    found = scene.answers.nearest(view.groups(by, isSlow: false))
    let slow = view.slow.isEmpty ? nil : scene.answers.nearest(view.groups(by, isSlow: true))
    guard let table = found?.answer.table else {
      rows = []
      total = 0
      return
    }
    let keys = by.compactMap { table.place($0) }
    guard keys.count == by.count else {
      rows = []
      total = 0
      return
    }
    var late: [[Figure]: Int] = [:]
    if let slowTable = slow?.answer.table {
      let places = by.compactMap { slowTable.place($0) }
      for (number, row) in slowTable.rows.enumerated() { late[places.map { row[$0] }] = number }
    }
    let slowNames = Set(view.slow)
    rows = table.rows.indices.map { number in
      let key = keys.map { table.rows[number][$0] }
      let figures = view.panel.metrics.map { metric -> Figure in
        guard slowNames.contains(metric) else { return table.value(number, metric) }
        return late[key].flatMap { slow?.answer.table.value($0, metric) } ?? .missing
      }
      return Row(key: key, figures: figures, coverage: Coverage.share(of: table, row: number))
    }
    total = rows.count
    let search = scene.state.search.lowercased()
    if !search.isEmpty { rows = rows.filter { KeyText.text($0.key).lowercased().contains(search) } }
    if let sorting = scene.state.sortings[view.id] { sort(sorting, view) }
  }

  private mutating func sort(_ sorting: TopState.Sorting, _ view: PanelView) {
    let place = view.panel.metrics.firstIndex(of: sorting.column)
    // Stable, and what is missing last in either direction.
    let ordered = rows.enumerated().sorted { left, right in
      guard let place else {
        let (a, b) = (KeyText.text(left.element.key), KeyText.text(right.element.key))
        return a == b ? left.offset < right.offset : (a < b) == sorting.isAscending
      }
      switch (left.element.figures[place].magnitude, right.element.figures[place].magnitude) {
      case (nil, nil): return left.offset < right.offset
      case (nil, _): return false
      case (_, nil): return true
      case (let a?, let b?):
        return a == b ? left.offset < right.offset : (a < b) == sorting.isAscending
      }
    }
    rows = ordered.map(\.element)
  }
}

/// A row that the cursor can stand on: what it is of, and all its figures exactly.
struct RowFacts {
  var dimensions: [ScopeStep] = []
  var identifier: String?
  var status: String?
  var exact: [String] = []
}
