package import FarthingCore

/// The catalogue of public list prices that is part of the program.
///
/// Its files are `Catalogue/*.yaml`, in the format of own rate cards; `CatalogueText.swift` holds their text so that
/// the program is one file, and a test keeps the two equal. They are read when the first price is asked for.
package enum PriceCatalogue {
  /// The date on which its rates were last read, such as `2026-11-20`.
  package static let date = "2026-11-20"

  /// Whole days from ``date`` to `now` (Unix nanoseconds), 0 where the clock is behind it.
  package static func ageInDays(now: Int64) -> Int64 {
    let read = PriceDate.nanoseconds(date) ?? 0
    return max(0, (now - read) / CivilTime.day)
  }

  /// The catalogue as a source of prices.
  package static let source: any PriceSource = CataloguePriceList()

  /// What is wrong with the catalogue's files: nothing, as a test makes sure.
  static var faults: [PriceListFault] {
    files.flatMap { (file) -> [PriceListFault] in
      do throws(PriceListRefusal) {
        _ = try RateCardReader.read(file.text, file: file.name)
        return []
      } catch {
        return error.faults
      }
    }
  }
}

/// The built-in catalogue, read on first use.
private struct CataloguePriceList: PriceSource {
  let list = identity

  private static let identity = PriceListIdentity(
    id: "builtin-\(PriceCatalogue.date)", name: "builtin", format: "builtin", from: nil,
    importedAt: nil)

  private static let read: RateCardList = {
    var all = RateCardFile()
    for file in PriceCatalogue.files {
      if let cards = try? RateCardReader.read(file.text, file: file.name) {
        all.cards += cards.cards
      }
    }
    return RateCardList(all, list: identity)
  }()

  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    Self.read.match(request, period: &period)
  }

  func cards() -> [RateCard] { Self.read.cards() }
}
