internal import FarthingCore
package import FarthingDashboard
internal import FarthingQuery
internal import FarthingStore
internal import Yams

/// Dashboards as files: YAML in, a board or all that is wrong with it out.
package enum BoardFile {
  /// Most panels of a board.
  static let panelLimit = 60

  /// Reads a board.
  ///
  /// - Parameter file: what faults call the place.
  /// - Returns: the board, or every fault with its line.
  package static func read(
    _ bytes: [UInt8], file: String
  ) -> (board: Board?, faults: [ConfigurationFault]) {
    let root: Node?
    do throws(ConfigurationFault) {
      root = try YAMLDocument.root(bytes, file: file)
    } catch {
      return (nil, [error])
    }
    var reader = BoardReader(file: file)
    let board = reader.board(root)
    let faults = reader.faults.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    return (faults.isEmpty ? board : nil, faults)
  }

  /// The board of a name that is shipped, or of a file.
  ///
  /// - Throws: ``CommandFailure`` with status 2 and all faults.
  package static func load(_ name: String) throws(CommandFailure) -> Board {
    if let shipped = ShippedBoards.texts.first(where: { $0.name == name }) {
      return try parsed(Array(shipped.text.utf8), file: "Dashboards/\(name).yaml")
    }
    let bytes: [UInt8]
    do {
      bytes = try WholeInput.bytes(of: name, limit: YAMLDocument.limit)
    } catch {
      let isPath = name.contains("/") || name.contains(".")
      guard !isPath, error.code == .notFound else { throw .usage("the dashboard \(error.message)") }
      let names = ShippedBoards.texts.map(\.name)
      let near = Suggestion.nearest(to: name, among: names).map { "; did you mean \"\($0)\"?" }
      throw .usage(
        "there is no dashboard \"\(name.printable)\"\(near ?? ""); shipped are "
          + "\(names.joined(separator: ", ")), and a file may be named")
    }
    return try parsed(bytes, file: name.printable)
  }

  private static func parsed(_ bytes: [UInt8], file: String) throws(CommandFailure) -> Board {
    let (board, faults) = read(bytes, file: file)
    guard let board else { throw .usage(ConfigurationFault.text(faults)) }
    return board
  }
}

/// Reads one board and collects what is wrong with it.
private struct BoardReader {
  let file: String
  var faults: [ConfigurationFault] = []

  init(file: String) { self.file = file }

  mutating func fault(_ node: Node?, _ message: String) {
    faults.append(ConfigurationFault(place: file, line: node?.mark?.line, message: message))
  }

  mutating func board(_ root: Node?) -> Board? {
    guard let root, let mapping = root.mapping else {
      fault(root, "expected a dashboard: name, title, range and rows")
      return nil
    }
    expectKeys(mapping, ["name", "title", "range", "rows"], of: "a dashboard")
    let name = word(mapping["name"], "name") ?? "dashboard"
    if !name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }) {
      fault(mapping["name"], "name \(name.shownValue): expected letters, digits, - and _")
    }
    var range = CivilTime.day
    if let node = mapping["range"] {
      if let length = length(node, "range"), length >= CivilTime.minute,
        length <= 366 * CivilTime.day
      {
        range = length
      } else {
        fault(node, "range: expected a length of time from 1m to 366d, such as 24h")
      }
    }
    var rows: [BoardRow] = []
    if let sequence = mapping["rows"]?.sequence {
      for node in sequence { if let row = row(node) { rows.append(row) } }
    } else {
      fault(mapping["rows"] ?? root, "rows: expected a list of rows, each with panels")
    }
    let count = rows.reduce(0) { $0 + $1.panels.count }
    if count == 0, faults.isEmpty { fault(root, "the dashboard has no panel") }
    if count > BoardFile.panelLimit {
      fault(root, "\(count) panels; at most \(BoardFile.panelLimit)")
    }
    return Board(
      name: name, title: word(mapping["title"], "title") ?? name, range: range, rows: rows)
  }

  private mutating func row(_ node: Node) -> BoardRow? {
    guard let mapping = node.mapping else {
      fault(node, "expected a row: a mapping with panels")
      return nil
    }
    expectKeys(mapping, ["height", "importance", "panels"], of: "a row")
    let height = mapping["height"].flatMap { whole($0, "height", 3...60) }
    let importance = mapping["importance"].flatMap { whole($0, "importance", 1...9) } ?? 5
    guard let sequence = mapping["panels"]?.sequence, !sequence.isEmpty else {
      fault(mapping["panels"] ?? node, "panels: expected a list of panels")
      return nil
    }
    var panels: [Panel] = []
    for node in sequence { if let panel = panel(node) { panels.append(panel) } }
    return BoardRow(height: height, importance: importance, panels: panels)
  }

  private static let options = [
    "title", "by", "where", "order", "limit", "window", "per", "warning", "trouble", "low_is_bad",
    "thresholds", "target", "weight",
  ]

  private mutating func panel(_ node: Node) -> Panel? {
    let kinds = Panel.Kind.allCases.filter { $0 != .requests }.map(\.rawValue)
    guard let mapping = node.mapping else {
      fault(node, "expected a panel, such as {stat: cost}")
      return nil
    }
    let found = mapping.filter { kinds.contains($0.key.scalar?.string ?? "") }
    expectKeys(mapping, kinds + Self.options, of: "a panel")
    guard found.count == 1, let entry = found.first,
      let kind = Panel.Kind(rawValue: entry.key.scalar?.string ?? "")
    else {
      if found.count > 1
        || mapping.allSatisfy({ Self.options.contains($0.key.scalar?.string ?? "") })
      {
        fault(node, "a panel is one of \(kinds.joined(separator: ", "))")
      }
      return nil
    }
    var panel = Panel(kind)
    panel.title = word(mapping["title"], "title") ?? ""
    panel.weight = mapping["weight"].flatMap { whole($0, "weight", 1...12) } ?? 1
    guard kind != .incidents, kind != .isolations else { return panel }
    panel.metrics = list(entry.value)
    panel.groupings = groupings(mapping["by"])
    panel.filter = mapping["where"].flatMap { word($0, "where") }
    panel.order = mapping["order"].flatMap { word($0, "order") }
    panel.limit = mapping["limit"].flatMap { whole($0, "limit", 1...1000) } ?? 50
    panel.rate = mapping["per"].flatMap { rate($0) }
    panel.window = mapping["window"].flatMap { window($0) } ?? .range
    panel.target = mapping["target"].flatMap { number($0, "target") }
    thresholds(mapping, &panel)
    check(panel, node, entry.value)
    return panel
  }

  /// Asks the query language whether it understands the panel.
  private mutating func check(_ panel: Panel, _ node: Node, _ metrics: Node) {
    let needsGroups: Set<Panel.Kind> = [.table, .bar, .heatmap]
    if needsGroups.contains(panel.kind), panel.groupings.isEmpty {
      fault(node, "a \(panel.kind.rawValue) needs by: what it is grouped by, such as [model]")
    }
    if panel.kind == .stat || panel.kind == .budget, !panel.groupings.isEmpty {
      fault(node, "a \(panel.kind.rawValue) is one figure and has no by")
    }
    let single: Set<Panel.Kind> = [.stat, .budget, .timeseries, .bar, .heatmap]
    if single.contains(panel.kind), panel.metrics.count > 1 {
      fault(metrics, "a \(panel.kind.rawValue) shows one metric, not \(panel.metrics.count)")
    }
    for by in panel.groupings.isEmpty ? [[]] : panel.groupings {
      do throws(QueryError) {
        _ = try QueryPlan.parse(
          QueryWords(
            metrics: panel.metrics.joined(separator: ","),
            by: by.isEmpty ? nil : by.joined(separator: ","), filter: panel.filter,
            order: panel.order), now: 0)
      } catch {
        for line in error.message.split(separator: "\n") {
          let known = faults.contains { $0.message == String(line) && $0.line == node.mark?.line }
          if !known { fault(node, String(line)) }
        }
      }
    }
    for name in panel.thresholds.keys.sorted() where !panel.metrics.contains(name) {
      let near = Suggestion.nearest(to: name, among: panel.metrics)
      fault(
        node,
        "thresholds: the panel shows no \(name.shownValue)"
          + (near.map { "; did you mean \"\($0)\"?" } ?? ""))
    }
  }

  // MARK: Values

  private mutating func expectKeys(_ mapping: Node.Mapping, _ known: [String], of what: String) {
    for (key, _) in mapping {
      let word = key.scalar?.string ?? ""
      guard !known.contains(word) else { continue }
      let near = Suggestion.nearest(to: word, among: known)
      fault(
        key,
        "unknown key \(word.shownValue) of \(what); "
          + (near.map { "did you mean \"\($0)\"?" }
            ?? "expected one of \(known.joined(separator: ", "))"))
    }
  }

  private mutating func word(_ node: Node?, _ name: String) -> String? {
    guard let node else { return nil }
    guard let text = node.scalar?.string, !text.isEmpty else {
      fault(node, "\(name): expected one value")
      return nil
    }
    return text
  }

  private func list(_ node: Node) -> [String] {
    if let sequence = node.sequence { return sequence.compactMap { $0.scalar?.string } }
    return (node.scalar?.string ?? "").split(separator: ",").map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }.filter { !$0.isEmpty }
  }

  private func groupings(_ node: Node?) -> [[String]] {
    guard let node else { return [] }
    if let sequence = node.sequence { return sequence.map { list($0) }.filter { !$0.isEmpty } }
    let one = list(node)
    return one.isEmpty ? [] : [one]
  }

  private mutating func whole(_ node: Node, _ name: String, _ range: ClosedRange<Int>) -> Int? {
    if let number = node.scalar.flatMap({ WholeNumber.parse($0.string, range) }) { return number }
    fault(
      node, "\(name): expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    return nil
  }

  private mutating func number(_ node: Node, _ name: String) -> Double? {
    if let number = node.scalar.flatMap({ Double($0.string) }), number.isFinite { return number }
    fault(
      node, "\(name): expected a number, in the metric's unit: dollars, milliseconds, 0.05 for 5 %")
    return nil
  }

  private mutating func length(_ node: Node, _ name: String) -> Int64? {
    node.scalar.flatMap { CivilTime.parseDuration($0.string) }
  }

  private mutating func window(_ node: Node) -> Panel.Window? {
    switch node.scalar?.string {
    case "range": return .range
    case "month": return .month
    default:
      if let length = length(node, "window"), length >= CivilTime.second,
        length <= 366 * CivilTime.day
      {
        return .last(length)
      }
      fault(node, "window: expected range, month or a length of time such as 5m")
      return nil
    }
  }

  private mutating func rate(_ node: Node) -> Panel.Rate? {
    if let rate = node.scalar.flatMap({ Panel.Rate(rawValue: $0.string) }) { return rate }
    fault(node, "per: expected second, minute, hour or day")
    return nil
  }

  private mutating func thresholds(_ mapping: Node.Mapping, _ panel: inout Panel) {
    func read(_ mapping: Node.Mapping) -> Panel.Thresholds {
      var limits = Panel.Thresholds()
      limits.warning = mapping["warning"].flatMap { number($0, "warning") }
      limits.trouble = mapping["trouble"].flatMap { number($0, "trouble") }
      if let node = mapping["low_is_bad"] {
        switch node.scalar?.string {
        case "true": limits.isLowBad = true
        case "false": break
        default: fault(node, "low_is_bad: expected true or false")
        }
      }
      return limits
    }
    if let first = panel.metrics.first {
      let limits = read(mapping)
      if limits != Panel.Thresholds() { panel.thresholds[first] = limits }
    }
    guard let node = mapping["thresholds"] else { return }
    guard let all = node.mapping else {
      return fault(node, "thresholds: expected metrics with warning and trouble")
    }
    for (key, value) in all {
      guard let name = key.scalar?.string, let limits = value.mapping else {
        fault(value, "thresholds: expected {warning: …, trouble: …}")
        continue
      }
      expectKeys(limits, ["warning", "trouble", "low_is_bad"], of: "thresholds")
      panel.thresholds[name] = read(limits)
    }
  }
}
