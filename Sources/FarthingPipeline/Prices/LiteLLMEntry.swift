internal import FarthingCore

// One entry of LiteLLM's list as a rate card.
//
// A key is a stem, then `_above_Nk_tokens` where a long-context step is meant, then a tier. Each of the eight
// stems is a part of the price. A last word that is one word is a tier (`priority`, `flex`, `batches`…).
// Source: the list itself and docs/prices.md; the list's numbers are US dollars a token.

struct LiteLLMEntry {
  let provider: String?
  let card: RateCard
  /// Prices that cannot be used; the whole entry counts as without a price where there is one.
  let unreadable: [UnreadablePrice]
  /// Whether the entry prices anything, and nothing of it is unreadable.
  let isPriced: Bool

  /// A price key taken apart.
  struct Key: Equatable {
    let part: PricePart
    let above: Int64?
    let tier: String?

    private static let stems: [(stem: String, part: PricePart)] = [
      // The longer stem first where one begins the other.
      ("cache_creation_input_token_cost_above_1hr", .cacheWrite1h),
      ("cache_creation_input_token_cost", .cacheWrite),
      ("cache_read_input_token_cost", .cachedInput),
      ("input_cost_per_token", .input),
      ("output_cost_per_token", .output),
      ("output_cost_per_reasoning_token", .reasoning),
      ("input_cost_per_audio_token", .inputAudio),
      ("output_cost_per_audio_token", .outputAudio),
      ("input_cost_per_image_token", .inputImage),
    ]

    /// nil where `name` is no token price.
    init?(_ name: String) {
      guard name.contains("token"),
        let found = Self.stems.first(where: { name.hasPrefix($0.stem) })
      else { return nil }
      part = found.part
      var words = name.dropFirst(found.stem.count).split(
        separator: "_", omittingEmptySubsequences: true)
      guard
        name.utf8.count == found.stem.utf8.count || name.dropFirst(found.stem.count).first == "_"
      else { return nil }
      if words.count >= 3, words[0] == "above", words[2] == "tokens",
        let limit = Self.tokens(words[1])
      {
        above = limit
        words.removeFirst(3)
      } else {
        above = nil
      }
      guard words.count <= 1 else { return nil }
      tier = words.first.map(String.init)
    }

    /// The count that `200k` or `1m` says.
    private static func tokens(_ word: Substring) -> Int64? {
      let factor: Int64 = word.hasSuffix("k") ? 1_000 : word.hasSuffix("m") ? 1_000_000 : 1
      guard let number = Int64(factor == 1 ? word : word.dropLast()), number >= 0 else {
        return nil
      }
      return number.multipliedReportingOverflow(by: factor).overflow ? nil : number * factor
    }
  }

  /// - Parameter from: Unix nanoseconds since when the list holds; nil for all time.
  init(_ tree: PriceTree, named name: String, since from: Int64? = nil) {
    var tables: [String: RateTable] = [:]
    var unreadable: [UnreadablePrice] = []
    var units: [UnitPrice] = []
    func rate(_ key: String, _ value: PriceTree) -> Rate? {
      guard value != .null else { return nil }
      do throws(UnreadablePrice) {
        return try PriceText.rate(value, key: key)
      } catch {
        unreadable.append(error)
        return nil
      }
    }
    for member in tree.members {
      if let key = Key(member.name) {
        guard let rate = rate(member.name, member.value) else { continue }
        tables[key.tier ?? "", default: RateTable()].add(rate, key)
      } else {
        for (unit, value) in Self.units(member) {
          if let rate = rate(member.name, value) {
            units.append(UnitPrice(name: unit, rate: rate))
          }
        }
      }
    }
    var standard = tables[""] ?? RateTable()
    if standard[.input] == nil, let ranges = tree["tiered_pricing"] {
      unreadable += Self.addRanges(ranges, to: &standard, rate: rate)
    }
    tables[""] = nil
    let batch = tables["batches"]
    tables["batches"] = nil
    provider = tree["litellm_provider"]?.text
    self.unreadable = unreadable
    let hasPrice =
      !standard.schedules.isEmpty || !units.isEmpty || batch != nil || !tables.isEmpty
    isPriced = hasPrice && unreadable.isEmpty
    card = RateCard(
      entry: name, models: [name], providers: provider.map { [$0] } ?? [],
      period: PricePeriod(from: from ?? .min), standard: standard, tiers: tables, batch: batch,
      overlay: .steps, missingBatch: .half, units: units,
      source: tree["source"]?.text)
  }

  /// The metered units that a key prices, by the names that events give them.
  private static func units(_ member: PriceTree.Member) -> [(String, PriceTree)] {
    if member.name == "search_context_cost_per_query" {
      return ["low", "medium", "high"].flatMap { (size) -> [(String, PriceTree)] in
        guard let value = member.value["search_context_size_\(size)"] else { return [] }
        return size == "medium"
          ? [("web_search", value), ("web_search_medium", value)] : [("web_search_\(size)", value)]
      }
    }
    switch member.name {
    case "output_cost_per_image": return [("image", member.value)]
    case "input_cost_per_image": return [("input_image", member.value)]
    case "input_cost_per_query": return [("query", member.value)]
    case "input_cost_per_request": return [("request", member.value)]
    case "input_cost_per_second": return [("input_second", member.value)]
    case "output_cost_per_second": return [("output_second", member.value)]
    case "input_cost_per_character": return [("input_character", member.value)]
    case "output_cost_per_character": return [("output_character", member.value)]
    case "ocr_cost_per_page": return [("page", member.value)]
    case "code_interpreter_cost_per_session":
      return [("code_interpreter_session", member.value)]
    default: return []
    }
  }

  /// Prices by ranges of input tokens, where the entry has no other; a range holds above its start.
  /// - Returns: ranges whose start cannot be read.
  private static func addRanges(
    _ ranges: PriceTree, to table: inout RateTable, rate: (String, PriceTree) -> Rate?
  ) -> [UnreadablePrice] {
    var unreadable: [UnreadablePrice] = []
    for range in ranges.elements {
      // Ranges of something else, such as a search's results, are no prices of tokens.
      guard let bounds = range["range"] else { continue }
      let start = bounds.elements.first
      guard let limit = start?.decimal.flatMap(PriceText.tokenLimit) else {
        unreadable.append(
          UnreadablePrice(
            key: "tiered_pricing range", value: (start ?? bounds).excerpt,
            expected: "a whole number of tokens"))
        continue
      }
      for member in range.members {
        guard let key = Key(member.name), key.above == nil, key.tier == nil,
          let rate = rate(member.name, member.value)
        else { continue }
        var schedule = table[key.part] ?? RateSchedule(base: nil)
        if limit == 0 {
          schedule.base = rate
        } else {
          schedule = RateSchedule(
            base: schedule.base,
            steps: schedule.steps + [RateStep(above: limit, rate: rate)])
        }
        table[key.part] = schedule
      }
    }
    return unreadable
  }
}

extension RateTable {
  fileprivate mutating func add(_ rate: Rate, _ key: LiteLLMEntry.Key) {
    let schedule = self[key.part] ?? RateSchedule(base: nil)
    self[key.part] =
      key.above.map {
        RateSchedule(
          base: schedule.base, steps: schedule.steps + [RateStep(above: $0, rate: rate)])
      } ?? RateSchedule(base: rate, steps: schedule.steps)
  }
}
