package import ArgumentParser

/// `farthing prices`: what is known of prices.
package struct PricesCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "prices",
    abstract:
      "What is known of prices: show, compare, check and import lists, find what is missing.",
    discussion: """
      The built-in catalogue of public list prices holds for all events; imported lists stand above \
      it, the latest first. Stored events keep the price that was known when they arrived until \
      "farthing prices reprice".
      """,
    subcommands: [
      PricesList.self, PricesShow.self, PricesDiff.self, PricesCheck.self, PricesImport.self,
      PricesMissing.self, PricesReprice.self, PricesRepricings.self,
    ])

  package init() {}
}
