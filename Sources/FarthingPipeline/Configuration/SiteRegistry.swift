internal import FarthingCore

/// What is known of the places that serve requests: tier, country and jurisdiction by site.
///
/// Read from a JSON array of `{"site","tier","country","jurisdiction"}`, or from the same in the
/// configuration.
package struct SiteRegistry: Sendable, Equatable {
  /// How far from the users a site is.
  package enum Tier: String, Sendable, CaseIterable { case edge, region, central, device }

  /// One site; what the registry does not say of it is nil.
  package struct Entry: Sendable, Equatable {
    package var site: String
    package var tier: Tier?
    /// Two capital letters of ISO 3166-1.
    package var country: String?
    /// Where data that is served there stays, such as `EU`.
    package var jurisdiction: String?

    package init(
      site: String, tier: Tier? = nil, country: String? = nil, jurisdiction: String? = nil
    ) {
      self.site = site
      self.tier = tier
      self.country = country
      self.jurisdiction = jurisdiction
    }
  }

  /// Most sites.
  package static let limit = 100_000
  /// The keys of an entry.
  package static let keys = ["site", "tier", "country", "jurisdiction"]

  /// By site, each once.
  package private(set) var entries: [Entry] = []
  private var places: [String: Int] = [:]

  package init() {}

  /// What is known of a site; nil where the registry does not name it.
  package subscript(_ site: String) -> Entry? { places[site].map { entries[$0] } }

  /// Adds a site.
  /// - Returns: false, and nothing is changed, where the registry has it or is full.
  package mutating func add(_ entry: Entry) -> Bool {
    guard places[entry.site] == nil, entries.count < Self.limit else { return false }
    places[entry.site] = entries.count
    entries.append(entry)
    return true
  }

  /// Reads one entry from its words; faults say what was expected.
  package static func entry(
    _ value: (String) -> String?, fault: (String) -> Void
  ) -> Entry? {
    guard let site = value("site"), RegistryText.isName(site) else {
      fault("site: \(RegistryText.nameExpectation)")
      return nil
    }
    var entry = Entry(site: site)
    if let word = value("tier") {
      entry.tier = Tier(rawValue: word)
      if entry.tier == nil {
        let names = Tier.allCases.map(\.rawValue).joined(separator: ", ")
        fault("tier \"\(Excerpt.shortened(word))\": expected one of \(names)")
      }
    }
    if let word = value("country") {
      let isCode = word.utf8.count == 2 && word.utf8.allSatisfy { (0x41...0x5A).contains($0) }
      if isCode {
        entry.country = word
      } else {
        fault(
          "country \"\(Excerpt.shortened(word))\": expected two capital letters of ISO 3166, "
            + "such as DE")
      }
    }
    if let word = value("jurisdiction") {
      if RegistryText.isName(word) {
        entry.jurisdiction = word
      } else {
        fault("jurisdiction: \(RegistryText.nameExpectation)")
      }
    }
    return entry
  }

  /// Reads a whole file.
  /// - Throws: ``RegistryRefusal`` with every fault.
  package static func parse(_ bytes: [UInt8], file: String) throws(RegistryRefusal) -> SiteRegistry
  {
    let reader = RegistryReader(file: file, keys: keys)
    var registry = SiteRegistry()
    for element in reader.elements(bytes) {
      guard
        let entry = entry({ reader.text(element, $0) }, fault: { reader.fault(element, $0) })
      else { continue }
      if !registry.add(entry) {
        reader.fault(
          element,
          registry.entries.count >= limit
            ? "more than \(limit) sites"
            : "site \"\(Excerpt.shortened(entry.site))\" is given twice; keep one")
      }
    }
    try reader.finish()
    return registry
  }
}

/// Texts of registries.
package enum RegistryText {
  package static let nameExpectation =
    "expected text of 1 to 1024 bytes without control characters"

  package static func isName(_ text: String) -> Bool {
    (1...1024).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
  }
}

/// Why a file of sites or announced events was refused.
package struct RegistryRefusal: Error, Sendable, Equatable, CustomStringConvertible {
  /// At least one, each a sentence with its place.
  package let faults: [String]

  package init(faults: [String]) { self.faults = faults }

  package var description: String { faults.joined(separator: "\n") }
}
