/// A way to write something in the words of a query, with an example that the parsers take.
package struct WordForm: Sendable, Equatable {
  /// What a user may type as it stands.
  package let example: String
  /// What it means: half a sentence.
  package let meaning: String
}

extension FilterExpression {
  /// Each kind of test and connection that `--where` knows. Each example is a whole filter.
  package static let forms: [WordForm] =
    Comparison.allCases.map { comparison in
      WordForm(
        example: "input_tokens \(comparison.rawValue) 8000", meaning: comparison.meaning)
    } + [
      WordForm(example: "site = 'sin1'", meaning: "text stands in single quotes; '' is one quote"),
      WordForm(example: "cost >= 0.05", meaning: "money is an amount of dollars, compared exactly"),
      WordForm(example: "cold_start = true", meaning: "true or false"),
      WordForm(
        example: "time >= '2026-11-01'", meaning: "a time in single quotes, as under help times"),
      WordForm(example: "model in ('gpt-4o', 'o3')", meaning: "one of the values"),
      WordForm(example: "model not in ('gpt-4o')", meaning: "another value than these"),
      WordForm(
        example: "model like 'claude-%'",
        meaning: "% is any text, _ any one character; case counts"),
      WordForm(example: "model not like '%-mini'", meaning: "any other text"),
      WordForm(example: "task is null", meaning: "the request lacks the field"),
      WordForm(example: "task is not null", meaning: "the request has it"),
      WordForm(example: "tags.team = 'search'", meaning: "an entry of tags; units.NAME likewise"),
      WordForm(
        example: "\"tags.cost centre\" = 'a'",
        meaning: "double quotes around a field whose name has blanks"),
      WordForm(example: "status = 'error' or attempt > 1", meaning: "either"),
      WordForm(example: "status = 'error' and attempt > 1", meaning: "both; binds before or"),
      WordForm(
        example: "not (site = 'sin1' or site is null)", meaning: "the opposite; parentheses group"),
    ]
}

extension FilterExpression.Comparison {
  fileprivate var meaning: String {
    switch self {
    case .equal: "equal"
    case .notEqual: "another value; <> is the same"
    case .less: "less"
    case .lessOrEqual: "less or equal"
    case .greater: "greater"
    case .greaterOrEqual: "greater or equal"
    }
  }
}

extension InstantParser {
  /// Each way to write a time, for `--since`, `--until`, `--at`, `--from` and in filters.
  package static let forms: [WordForm] =
    [
      WordForm(example: "2026-11-21T08:00:00Z", meaning: "RFC 3339, in UTC"),
      WordForm(
        example: "2026-11-21T09:00:00.25+01:00",
        meaning: "with an offset; up to nine fraction digits count"),
      WordForm(example: "2026-11-21", meaning: "00:00 of that day, in the zone of --tz"),
      WordForm(example: "now", meaning: "this moment"),
    ]
    + BucketWidth.Unit.allCases.map { unit in
      WordForm(
        example: "\(unit.exampleCount)\(unit.rawValue)", meaning: "so many \(unit)s before now")
    }
}

extension BucketWidth {
  /// Each width of time buckets, for `--every`.
  package static let forms: [WordForm] = Unit.allCases.map { unit in
    WordForm(
      example: "\(unit == .second ? 30 : unit == .minute ? 5 : 1)\(unit.rawValue)",
      meaning: unit.alignment)
  }
}

extension BucketWidth.Unit {
  fileprivate var exampleCount: Int {
    switch self {
    case .second, .minute: 90
    case .hour: 24
    case .day: 7
    case .week: 2
    }
  }

  fileprivate var alignment: String {
    switch self {
    case .second, .minute, .hour: "\(self)s, counted from 00:00 of 1 January 1970 in the zone"
    case .day: "calendar days of the zone: 23 or 25 hours where clocks change"
    case .week: "calendar weeks of the zone, from Monday"
    }
  }
}
