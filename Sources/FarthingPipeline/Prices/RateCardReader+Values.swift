// Values of a file of own rate cards: what each node must be, and what is said where it is not.

internal import FarthingCore
internal import Yams

extension RateCardReader {
  mutating func mapping(
    _ node: Node, _ what: String, _ expected: String
  ) -> [(String, Node)]? {
    guard let mapping = node.mapping else {
      fault(node, "\(what) is not a mapping; expected \(expected)")
      return nil
    }
    return mapping.map { ($0.key.scalar?.string ?? "", $0.value) }
  }

  func member(_ node: Node, _ name: String) -> Node? {
    node.mapping?.first { $0.key.scalar?.string == name }?.value
  }

  mutating func sequence(_ node: Node?, _ what: String) -> [Node] {
    guard let node else { return [] }
    guard let sequence = node.sequence else {
      fault(node, "“\(what)” is not a list; write each element on a line with a leading dash")
      return []
    }
    return Array(sequence)
  }

  mutating func scalar(_ node: Node, _ what: String) -> String? {
    guard let text = node.scalar?.string, !text.isEmpty else {
      fault(node, "“\(what)” is not a text; write one value behind the colon")
      return nil
    }
    return text
  }

  /// One text or a list of them.
  mutating func texts(_ node: Node, _ what: String) -> [String] {
    guard node.sequence != nil else { return scalar(node, what).map { [$0] } ?? [] }
    return sequence(node, what).compactMap { scalar($0, what) }
  }

  mutating func flag(_ node: Node, _ what: String) -> Bool? {
    switch scalar(node, what) {
    case "true": return true
    case "false": return false
    case nil: return nil
    case let text?:
      fault(node, "\(what) “\(text)” is neither true nor false")
      return nil
    }
  }

  mutating func date(_ node: Node, _ what: String) -> Int64? {
    guard let text = scalar(node, what) else { return nil }
    guard let time = PriceDate.nanoseconds(text) else {
      fault(node, "\(what) “\(text)” is not a date; write one such as 2026-11-02")
      return nil
    }
    return time
  }

  mutating func unit(_ node: Node) -> TokenUnit? {
    guard let text = scalar(node, "per") else { return nil }
    guard let unit = TokenUnit(rawValue: text) else {
      fault(node, "per “\(text)” is not known; write token, 1K or 1M")
      return nil
    }
    return unit
  }

  mutating func percent(_ node: Node) -> Discount? {
    guard let text = scalar(node, "discount") else { return nil }
    let number = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let discount = Discount(percent: number) else {
      fault(
        node,
        "discount “\(text)” is not a percentage from 0 to 100 with at most 6 decimals; write one such as 12.5%"
      )
      return nil
    }
    return discount
  }

  mutating func rate(_ node: Node, _ what: String, per count: UInt64) -> Rate? {
    guard let text = scalar(node, what) else { return nil }
    do {
      return try PriceText.rate(text, per: count)
    } catch {
      fault(node, Self.message(error, what, text))
      return nil
    }
  }

  private static func message(_ fault: DecimalFault, _ what: String, _ text: String) -> String {
    switch fault {
    case .notANumber:
      let remedy = DecimalRemedy.suggestion(for: text).map { "; write \($0)" } ?? ""
      return "\(what) “\(text.prefix(64))” is not a decimal number of at least 0\(remedy)"
    case .tooLarge:
      return
        "\(what) “\(text.prefix(64))” is above \(Rate.limit) dollars a unit; check the unit of “per”"
    case .tooPrecise:
      return
        "\(what) “\(text.prefix(64))” has more than \(Rate.maximumSignificantDigits) digits; round it"
    }
  }

  mutating func unknown(_ key: String, _ node: Node, among names: [String]) {
    let hint =
      Suggestion.nearest(to: key, among: names).map { "did you mean “\($0)”?" }
      ?? "expected one of \(names.joined(separator: ", "))"
    fault(node, "“\(key)” is not known here; \(hint)")
  }
}

/// What a writer of `12,50` or `$3` meant.
enum DecimalRemedy {
  static func suggestion(for text: String) -> String? {
    var guess = text.filter { !"$ _€".contains($0) }
    if guess.hasPrefix("USD") || guess.hasSuffix("USD") {
      guess = guess.replacing("USD", with: "")
    }
    if guess.contains(","), !guess.contains(".") {
      guess = guess.replacing(",", with: ".")
    } else {
      guess = guess.replacing(",", with: "")
    }
    if guess.hasPrefix(".") { guess = "0" + guess }
    return guess != text && Rate(decimal: guess) != nil ? guess : nil
  }
}
