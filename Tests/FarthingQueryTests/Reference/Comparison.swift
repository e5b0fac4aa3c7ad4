import FarthingCore
import FarthingQuery

/// What differs between the engine's rows and the reference's; nil where nothing does.
func difference(_ rows: [[QueryValue]], _ expected: [ReferenceRow]) -> String? {
  if rows.count != expected.count { return "\(rows.count) rows, expected \(expected.count)" }
  for (index, (row, wanted)) in zip(rows, expected).enumerated() {
    let key = wanted.key.map(queryValue)
    if Array(row.prefix(key.count)) != key {
      return "row \(index): group \(row.prefix(key.count)), expected \(key)"
    }
    for (value, number) in zip(row.dropFirst(key.count), wanted.numbers)
    where !matches(value, number) {
      return "row \(index): \(value), expected \(number)"
    }
    if row.count != key.count + wanted.numbers.count { return "row \(index): \(row.count) values" }
  }
  return nil
}

private func queryValue(_ value: ReferenceValue?) -> QueryValue {
  switch value {
  case nil: .null
  case .text(let text): .text(text)
  case .integer(let integer): .count(integer)
  case .boolean(let flag): .boolean(flag)
  case .real(let real): .real(real)
  case .money(let amount): .money(amount)
  case .time(let time): .time(time)
  }
}

private func matches(_ value: QueryValue, _ number: ReferenceNumber) -> Bool {
  switch (value, number) {
  case (.null, .none): true
  case (.count(let value), .count(let wanted)): value == wanted
  case (.money(let value), .money(let wanted)): value == wanted
  case (.ratio(let value), .ratio(let wanted)): abs(value - wanted) <= abs(wanted) * 1e-12
  case (.moneyRatio(let value), .moneyRatio(let wanted)):
    value == DollarText.dollars(picodollars: wanted)
  case (.milliseconds(let value), .quantile(let wanted)): abs(value - wanted) <= wanted * 0.01
  case (.milliseconds(let value), .mean(let wanted)): abs(value - wanted) <= wanted * 1e-9
  case (.milliseconds(let value), .milliseconds(let wanted)): value == wanted
  default: false
  }
}
