import FarthingCore
import FarthingQuery
import FarthingStore

@testable import FarthingPipeline

enum InputBodies {
  // MARK: Prices

  /// The format in the first byte, then a price list.
  static func prices(_ bytes: [UInt8]) throws(BrokenProperty) {
    var input = InputReader(bytes)
    let formats = PriceListFormat.allCases
    let format = formats[Int(input.byte()) % formats.count]
    let list = StoredPriceList(id: 1, name: "fuzz", format: format, bytes: input.bytes)
    let source: any PriceSource
    do throws(PriceListRefusal) {
      source = try list.opened()
    } catch {
      let lines = input.bytes.count { $0 == 0x0A || $0 == 0x0D } + 2
      try require(!error.faults.isEmpty, "a refusal without a fault")
      return try require(
        error.faults.allSatisfy { fault in fault.line.map { (1...lines).contains($0) } ?? true },
        "a fault of a line that is not there: \(error)")
    }
    let book = PriceBook(sources: [source])
    for card in source.cards().prefix(20) {
      for model in (card.models + [card.entry]).prefix(3) {
        try charge(model, card.providers.first, book)
      }
    }
  }

  /// Charges requests of the model with the least and the greatest counts.
  private static func charge(
    _ model: String, _ provider: String?, _ book: PriceBook
  ) throws(BrokenProperty) {
    for tier in [nil, "batch", "priority"] {
      let request = PriceRequest(
        model: model, provider: provider, serviceTier: tier, time: fuzzClock)
      let resolution = book.explain(request)
      try require(resolution.period.contains(fuzzClock), "a price that does not hold at its time")
      guard let price = resolution.price else { continue }
      let bytes = price.serialised()
      let again = ResolvedPrice.deserialised(bytes.span)
      try require(again?.serialised() == bytes, "a price changes by being written")
    }
    var builder = EventBatchBuilder(now: fuzzClock)
    for count in [0, 1, 1_000_000, EventLimits.integer] as [Int64] {
      builder.begin(.request, line: 1)
      builder.setTime(fuzzClock)
      builder.set(.model, model)
      if let provider { builder.set(.provider, provider) }
      for field in IntegerField.allCases where field.contractName.hasSuffix("_tokens") {
        builder.set(field, count)
      }
      builder.unit("web_search", count)
      builder.finish()
    }
    var pricer = EventPricer(book: book)
    let batch = builder.take()
    let charges = pricer.charges(of: batch)
    try require(charges.count == batch.events.count, "events without a charge")
    try require(
      charges.allSatisfy { $0.state != .unpriced || $0.cost == 0 }, "unpriced, with a cost")
  }

  // MARK: Collectors

  /// The format in the first byte, 0 to tell it by the bytes; metadata before the first zero byte.
  static func collectors(_ bytes: [UInt8]) throws(BrokenProperty) {
    var input = InputReader(bytes)
    let choice = Int(input.byte()) % (SourceFormat.allCases.count + 1)
    let parts = input.bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let text = Array(parts[parts.count - 1])
    let metadata = parts.count > 1 ? Array(parts[0]) : nil
    let format =
      choice == 0
      ? SourceFormat.detect(text, metadata: metadata) : SourceFormat.allCases[choice - 1]
    var collector = format.makeCollector(now: fuzzClock)
    let context = CollectionContext(
      now: fuzzClock, fallbackTime: fuzzClock - 5, firstLine: 3, metadata: metadata)
    for _ in 0..<2 {
      let batch = collector.decode(text, context)
      let origin: EventOrigin = format == .events ? .contract : .otherFormat
      for event in batch.events {
        let fault = EventRules.check(event, in: batch, now: fuzzClock, from: origin)
        try require(fault == nil, "an accepted event breaks a rule: \(String(describing: fault))")
      }
      try require(
        (batch.events.map(\.line) + batch.rejections.map(\.line)).allSatisfy { $0 >= 3 },
        "an answer names a line before the first")
      var pricer = EventPricer(book: PriceBook(sources: [PriceCatalogue.source]))
      try require(
        pricer.charges(of: batch).count == batch.events.count, "events without a charge")
    }
  }

  // MARK: Mappings

  /// A mapping file before the first zero byte, then records.
  static func mapping(_ bytes: [UInt8]) throws(BrokenProperty) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let file = Array(parts[0])
    let text = parts.count > 1 ? Array(parts[1]) : []
    let mapping: Mapping
    do throws(MappingRefusal) {
      mapping = try MappingFile.parse(file, file: "fuzz.yaml") { _ in .utc }
    } catch {
      let lines = file.count { $0 == 0x0A || $0 == 0x0D } + 2
      try require(!error.faults.isEmpty, "a refusal without a fault")
      return try require(
        error.faults.allSatisfy { fault in fault.line.map { (1...lines).contains($0) } ?? true },
        "a fault of a line that is not there: \(error)")
    }
    var collector = MappingCollector(mapping)
    // As two inputs of one run: what the first leaves behind must not trap in the second.
    for context in [1, 7].map({ CollectionContext(now: fuzzClock, firstLine: $0) }) {
      let batch = collector.decode(text, context)
      for event in batch.events {
        let fault = EventRules.check(event, in: batch, now: fuzzClock, from: .otherFormat)
        try require(fault == nil, "an accepted event breaks a rule: \(String(describing: fault))")
      }
      let line = context.firstLine
      let last = line + text.count { $0 == 0x0A }
      try require(
        (batch.events.map(\.line) + batch.rejections.map(\.line)).allSatisfy {
          (line...last).contains($0)
        }, "an answer names a line that is not there")
      var pricer = EventPricer(book: PriceBook(sources: [PriceCatalogue.source]))
      try require(
        pricer.charges(of: batch).count == batch.events.count, "events without a charge")
    }
    try require(
      collector.unseenPaths.count <= mapping.paths.count, "paths that the mapping has not")
  }

  // MARK: Compressed streams

  /// The kind and the sizes of the pieces in the first bytes, then the stream.
  static func compressed(_ bytes: [UInt8]) throws(BrokenProperty) {
    var input = InputReader(bytes)
    let kind: StreamCompression = input.byte() % 2 == 0 ? .gzip : .zstd
    let piece = Int(input.byte() % 40) + 1
    let limit = Int(input.byte()) + 1
    let stream = input.bytes
    _ = StreamCompression.detect(stream)
    let whole = expanded(stream, kind, pieces: max(1, stream.count), limit: 1 << 16)
    let parts = expanded(stream, kind, pieces: piece, limit: limit)
    try require(whole == parts, "a stream in pieces gives other bytes")
  }

  /// nil where the stream is refused.
  private static func expanded(
    _ bytes: [UInt8], _ kind: StreamCompression, pieces: Int, limit: Int
  ) -> [UInt8]? {
    do throws(StoreError) {
      let stream = try StreamDecompressor(kind, maximumOutput: 1 << 16)
      var output: [UInt8] = []
      var place = 0
      while place < bytes.count {
        let end = min(place + pieces, bytes.count)
        stream.supply(Array(bytes[place..<end]))
        place = end
        while try stream.produce(into: &output, upTo: limit) {}
      }
      try stream.finish()
      return output
    } catch {
      return nil
    }
  }
}
