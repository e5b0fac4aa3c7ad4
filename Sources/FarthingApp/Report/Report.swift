internal import FarthingCore
package import FarthingQuery

// A report is a value: sections of figures, sentences and charts, without a word on how they are written. It is
// made from answers (ReportAnswers) by pure functions, and three renderers write it: markdown, HTML and JSON.
// Texts that came with events stay apart from our own words until a renderer writes them, which escapes them.

/// A review of unit costs over one period against the one before.
package struct Report: Sendable, Equatable {
  package var heading: Heading
  /// What the reader should know and do, the most pressing first.
  package var findings: [Finding]
  package var sections: [Section]

  /// What the report is about.
  package struct Heading: Sendable, Equatable {
    package var title: String
    package var period: ReportPeriod
    /// `Monday 9 to Sunday 15 March 2026`
    package var span: String
    /// The same of the period that everything is compared with.
    package var previousSpan: String
    /// Unix nanoseconds: when it was made.
    package var madeAt: Int64
    /// The condition that requests had to meet; nil for all.
    package var filter: String?
    package var prices: PriceKnowledge
    /// What a reader has to know before any figure: a period that is not over, rows that are missing.
    package var cautions: [ReportText]
  }

  /// One thing to know, and what to do about it.
  package struct Finding: Sendable, Equatable {
    package enum Tone: String, Sendable {
      /// Somebody should do something.
      case act
      /// Worth an eye.
      case watch
      /// Better than before.
      case good
      /// Neither.
      case note
    }

    package var tone: Tone
    package var title: ReportText
    package var text: ReportText
    /// nil where there is nothing to do.
    package var advice: ReportText?
    /// Id of the section with the figures.
    package var section: String
  }

  package struct Section: Sendable, Equatable {
    /// A word for links and JSON.
    package var id: String
    package var title: String
    /// What it says, in a sentence or two.
    package var lead: ReportText?
    package var charts: [ReportChart] = []
    package var tables: [ReportTable] = []
    /// How the figures are counted.
    package var notes: [ReportText] = []
    /// A command that asks for the same figures.
    package var command: String?
  }

  package subscript(section id: String) -> Section? { sections.first { $0.id == id } }

  package subscript(table id: String) -> ReportTable? {
    sections.lazy.flatMap(\.tables).first { $0.id == id }
  }
}

/// Words of ours with names and figures between them.
package struct ReportText: Sendable, Equatable, ExpressibleByStringInterpolation {
  package enum Piece: Sendable, Equatable {
    case words(String)
    /// Text that came with an event or from a person: escaped by whoever writes it.
    case name(String)
    /// What somebody can type.
    case code(String)
    /// A figure for people, and the exact one behind it.
    case figure(String, exact: String)
  }

  package private(set) var pieces: [Piece]

  package init(_ pieces: [Piece] = []) { self.pieces = pieces }

  package init(stringLiteral value: String) { pieces = [.words(value)] }

  package init(stringInterpolation: StringInterpolation) { pieces = stringInterpolation.pieces }

  package static func + (left: ReportText, right: ReportText) -> ReportText {
    ReportText(left.pieces + right.pieces)
  }

  package var isEmpty: Bool { pieces.isEmpty }

  /// Without any markup.
  package var plain: String {
    pieces.map { piece in
      switch piece {
      case .words(let text), .code(let text): text
      case .name(let text): text.printable
      case .figure(let text, _): text
      }
    }.joined()
  }

  /// Lists joined by commas and `and`.
  package static func list(_ texts: [ReportText]) -> ReportText {
    var pieces: [Piece] = []
    for (place, text) in texts.enumerated() {
      if place > 0 { pieces.append(.words(place == texts.count - 1 ? " and " : ", ")) }
      pieces += text.pieces
    }
    return ReportText(pieces)
  }

  package struct StringInterpolation: StringInterpolationProtocol {
    var pieces: [Piece] = []

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { pieces.append(.words(literal)) }
    }

    /// Words of ours.
    package mutating func appendInterpolation(_ words: String) { appendLiteral(words) }

    /// A count of few.
    package mutating func appendInterpolation(_ count: Int) { appendLiteral("\(count)") }

    package mutating func appendInterpolation(_ text: ReportText) { pieces += text.pieces }

    /// A value of a field; `(none)` where it is absent.
    package mutating func appendInterpolation(name: String?) {
      pieces.append(name.map { .name($0) } ?? .words("(none)"))
    }

    package mutating func appendInterpolation(code: String) { pieces.append(.code(code)) }

    /// A figure as people read it, with its exact value behind it.
    package mutating func appendInterpolation(_ figure: ReportFigure) {
      pieces.append(.figure(figure.text, exact: figure.exact))
    }
  }
}

/// A table of figures. Every row has a cell for each column.
package struct ReportTable: Sendable, Equatable {
  package struct Column: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
      case label
      case figure
      /// The same figure over the periods before, drawn small; no column for machines.
      case trend
      /// Words that need room.
      case prose
    }

    /// For machines.
    package var id: String
    package var title: String
    package var kind: Kind

    package init(_ id: String, _ title: String, _ kind: Kind = .figure) {
      self.id = id
      self.title = title
      self.kind = kind
    }
  }

  package struct Row: Sendable, Equatable {
    package enum Style: Sendable, Equatable {
      case plain
      /// Several rows that are not told by name, together.
      case others
      case total
    }

    package var cells: [ReportCell]
    package var style = Style.plain

    package init(_ cells: [ReportCell], _ style: Style = .plain) {
      self.cells = cells
      self.style = style
    }
  }

  package var id: String
  package var title: String
  package var columns: [Column]
  package var rows: [Row]
  /// Whether it repeats a chart's figures, for who cannot see it: folded where that is possible.
  package var isDetail = false

  package init(_ id: String, _ title: String, _ columns: [Column], _ rows: [Row] = []) {
    self.id = id
    self.title = title
    self.columns = columns
    self.rows = rows
  }

  /// With a text for each figure: amounts of a column have the digits that its largest needs to be read.
  func settled() -> ReportTable {
    var table = self
    for place in columns.indices {
      let amounts = rows.map { $0.cells[place] }.filter { $0.form == .plain }
        .compactMap { ReadableCells.amount($0.value) }
      let digits = ReportFigure.digits(of: amounts)
      for row in rows.indices where rows[row].cells[place].form == .plain {
        let value = rows[row].cells[place].value
        table.rows[row].cells[place].form = .text(
          value == .null ? "–" : "\(ReportFigure(value, digits: digits))")
      }
    }
    return table
  }

  /// The values of a column; nil where there is none of that id.
  package func values(_ id: String) -> [QueryValue]? {
    columns.firstIndex { $0.id == id }.map { place in rows.map { $0.cells[place].value } }
  }
}

/// A value as machines read it, and how people see it.
package struct ReportCell: Sendable, Equatable {
  package enum Form: Sendable, Equatable {
    /// As its value is, with the digits of its column; until ``ReportTable/settled()``.
    case plain
    /// Another text than that of the value.
    case text(ReportText)
    /// A difference to the period before, with its sign.
    case change(Judgement, ReportText)
    /// The same figure of the periods up to now, the oldest first.
    case trend([QueryValue])
    /// Nothing belongs here, which is not the same as an unknown value.
    case blank
  }

  /// Whether a change is for the better.
  package enum Judgement: Sendable, Equatable {
    case better, worse, neither
  }

  /// What machines read.
  package var value: QueryValue
  package var form: Form

  package init(_ value: QueryValue, _ form: Form = .plain) {
    self.value = value
    self.form = form
  }

  package static let blank = ReportCell(.null, .blank)

  /// A value of a field; `(none)` where it is absent.
  package static func name(_ name: String?) -> ReportCell {
    ReportCell(name.map { .text($0) } ?? .null, .text("\(name: name)"))
  }

  package static func words(_ text: String) -> ReportCell {
    ReportCell(.text(text), .text(ReportText(stringLiteral: text)))
  }

  package static func text(_ text: ReportText) -> ReportCell {
    ReportCell(.text(text.plain), .text(text))
  }
}

/// A chart as what it shows, not how.
package struct ReportChart: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// Amounts over time, with those of the period before behind them.
    case columns([Column])
    /// From one total to another by its parts.
    case bridge(before: Int128, steps: [Step], after: Int128)
    /// Amounts side by side, with those of the period before.
    case bars([Bar])
    /// What is spent of an amount, and where it is going.
    case gauges([Gauge])
  }

  package struct Column: Sendable, Equatable {
    /// Shown below where there is room.
    package var label: String
    /// What the column is of, in full.
    package var title: String
    /// Picodollars; nil where nothing is known, as for days that are still to come.
    package var value: Int128?
    package var previous: Int128?
  }

  package struct Step: Sendable, Equatable {
    package var name: String
    /// Picodollars.
    package var change: Int128
  }

  package struct Bar: Sendable, Equatable {
    package var name: ReportText
    /// Picodollars.
    package var value: Int128
    package var previous: Int128?
  }

  package struct Gauge: Sendable, Equatable {
    package var name: ReportText
    /// US dollars: what is drawn is an estimate in its greater part.
    package var spent: Double
    package var expected: Double?
    package var low: Double?
    package var high: Double?
    /// nil where there is no limit.
    package var limit: Double?
    package var text: ReportText
  }

  package var id: String
  package var title: String
  /// What it shows, for who cannot see it.
  package var summary: ReportText
  package var kind: Kind
}
