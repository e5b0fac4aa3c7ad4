// Where panels stand on a screen of some size.
//
// Lines first: the header and the footer take one each. Rows of single figures take what their tiles
// need; rows with a height get it; the others share the rest. Where that is too little, the least
// important rows go, the later of equals first, and within a row the panels at its end. What does not fit is
// not lost: the focus goes there too, and the panel then has the screen to itself.

/// The places of a board's panels.
struct Layout {
  struct Place: Hashable {
    var id: PanelID
    var box: Box
    /// Whether it is a tile of a single figure, without a frame.
    var isTile: Bool
  }

  private(set) var places: [Place] = []
  /// Panels without room.
  private(set) var hidden: [PanelID] = []

  /// The least lines of a framed panel.
  private static let leastLines = 5

  init(_ state: TopState, width: Int, height: Int) {
    let board = state.board
    let space = Box(x: 0, y: 1, width: width, height: max(1, height - 2))
    if state.isZoomed {
      places = [Place(id: PanelID(panel: state.focus.panel), box: space, isTile: false)]
      hidden = board.panels.indices.filter { $0 != state.focus.panel }.map { PanelID(panel: $0) }
      return
    }
    var first = 0
    let rows = board.rows.map { row -> (panels: Range<Int>, row: BoardRow) in
      defer { first += row.panels.count }
      return (first..<first + row.panels.count, row)
    }
    let heights = Self.heights(board.rows, width: width, lines: space.height)
    var y = space.y
    for (place, row) in rows.enumerated() {
      guard let lines = heights[place] else {
        hidden += row.panels.map { PanelID(panel: $0) }
        continue
      }
      let box = Box(x: 0, y: y, width: width, height: lines)
      y += lines
      if Self.isTiles(row.row) {
        tile(row.panels, box)
      } else {
        fill(row.panels, row.row, box, state)
      }
    }
  }

  private static func isTiles(_ row: BoardRow) -> Bool {
    row.panels.allSatisfy { $0.kind == .stat || $0.kind == .budget }
  }

  /// Tiles beside each other and above each other.
  private static func grid(_ count: Int, width: Int) -> (columns: Int, lines: Int) {
    let fitting = max(1, min(count, width / 16))
    let lines = (count + fitting - 1) / fitting
    return ((count + lines - 1) / lines, lines)
  }

  /// Lines of each row; nil where it has no room.
  private static func heights(_ rows: [BoardRow], width: Int, lines: Int) -> [Int?] {
    func least(_ row: BoardRow, _ tileLines: Int) -> Int {
      guard isTiles(row) else { return row.height.map { min($0, leastLines) } ?? leastLines }
      return grid(row.panels.count, width: width).lines * tileLines
    }
    // Tiles have three lines, or two where the screen is low.
    let tileLines = lines >= 27 ? 3 : 2
    var kept = Set(rows.indices)
    func total() -> Int { kept.reduce(0) { $0 + least(rows[$1], tileLines) } }
    while total() > lines, kept.count > 1 {
      let dropped = kept.min {
        (rows[$0].importance, -$0) < (rows[$1].importance, -$1)
      }
      if let dropped { kept.remove(dropped) }
    }
    var heights: [Int?] = rows.indices.map { kept.contains($0) ? least(rows[$0], tileLines) : nil }
    var left = lines - heights.reduce(0) { $0 + ($1 ?? 0) }
    // What has no height of its own is the heart of a board: it gets some lines before the others.
    for (place, row) in rows.enumerated()
    where kept.contains(place) && !isTiles(row) && row.height == nil {
      let given = min(max(0, left), 9 - leastLines)
      heights[place]? += given
      left -= given
    }
    for (place, row) in rows.enumerated() where kept.contains(place) && !isTiles(row) {
      let wanted = max(0, (row.height ?? 0) - (heights[place] ?? 0))
      let given = min(wanted, max(0, left))
      heights[place]? += given
      left -= given
    }
    let growing = rows.indices.filter {
      kept.contains($0) && rows[$0].height == nil && !isTiles(rows[$0])
    }
    let sharing =
      growing.isEmpty ? rows.indices.filter { kept.contains($0) && !isTiles(rows[$0]) } : growing
    for (number, place) in sharing.enumerated() where left > 0 {
      let share = left / (sharing.count - number)
      heights[place]? += share
      left -= share
    }
    return heights
  }

  private mutating func tile(_ panels: Range<Int>, _ box: Box) {
    let grid = Self.grid(panels.count, width: box.width)
    let lines = box.height / grid.lines
    for (number, panel) in panels.enumerated() {
      let column = number % grid.columns
      let left = box.width * column / grid.columns
      let right = box.width * (column + 1) / grid.columns
      places.append(
        Place(
          id: PanelID(panel: panel),
          box: Box(
            x: box.x + left, y: box.y + number / grid.columns * lines, width: right - left,
            height: lines), isTile: true))
    }
  }

  private static func leastWidth(_ kind: Panel.Kind) -> Int {
    switch kind {
    case .stat, .budget: 16
    case .timeseries, .bar, .isolations, .sites: 30
    case .heatmap, .incidents: 38
    case .table: 40
    case .requests: 60
    }
  }

  private mutating func fill(_ panels: Range<Int>, _ row: BoardRow, _ box: Box, _ state: TopState) {
    var shown = Array(panels)
    func least() -> Int {
      shown.reduce(0) { $0 + Self.leastWidth(row.panels[$1 - panels.lowerBound].kind) }
    }
    while shown.count > 1, least() > box.width {
      hidden.append(PanelID(panel: shown.removeLast()))
    }
    let weights = shown.map { max(1, row.panels[$0 - panels.lowerBound].weight) }
    let total = weights.reduce(0, +)
    let spare = box.width - least()
    var x = box.x
    for (number, panel) in shown.enumerated() {
      let isLast = number == shown.count - 1
      let width =
        isLast
        ? box.right - x
        : Self.leastWidth(row.panels[panel - panels.lowerBound].kind)
          + max(0, spare) * weights[number] / total
      let place = Box(x: x, y: box.y, width: width, height: box.height)
      x += width
      split(panel, row.panels[panel - panels.lowerBound], place)
    }
  }

  /// A table that can be grouped in several ways shows as many of them at once as there is room for.
  private mutating func split(_ panel: Int, _ content: Panel, _ box: Box) {
    var columns = 1
    var lines = 1
    if content.kind == .table || content.kind == .bar, content.groupings.count > 1 {
      columns = max(1, min(content.groupings.count, box.width / 76))
      lines = max(1, min((content.groupings.count + columns - 1) / columns, box.height / 12))
    }
    var part = 0
    for line in 0..<lines {
      let left = min(content.groupings.count, columns * lines) - part
      let beside = lines == 1 ? columns : max(1, (left + lines - line - 1) / (lines - line))
      for column in 0..<beside {
        let (from, to) = (box.width * column / beside, box.width * (column + 1) / beside)
        let (top, bottom) = (box.height * line / lines, box.height * (line + 1) / lines)
        places.append(
          Place(
            id: PanelID(panel: panel, part: part),
            box: Box(x: box.x + from, y: box.y + top, width: to - from, height: bottom - top),
            isTile: false))
        part += 1
      }
    }
  }
}
