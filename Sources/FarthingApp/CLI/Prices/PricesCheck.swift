package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline

/// `farthing prices check`: whether a list can be imported, without importing it.
package struct PricesCheck: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Whether a price list can be imported; names every fault by line.")

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var list: PriceFileOptions

  package init() {}

  package mutating func run() async throws {
    let (checked, cards, unusable) = try list.read(from: nil)
    guard unusable.isEmpty else {
      throw CommandFailure.failed(unusable.joined(separator: "\n          "))
    }
    try Console.result(
      "\(list.file.printable): good, \(AmountText.readable(count: Int128(cards))) cards as "
        + "\(checked.format.rawValue)")
  }
}
