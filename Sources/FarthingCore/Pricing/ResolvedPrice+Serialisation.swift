// A price as bytes, for the price table of a segment.
//
// Version 1: byte 1; flags (bit 0 approximate); key; valid from and until (8 bytes each); request fee;
// units (count, then name and rate each); bands (count, then for each: limit + 1, mask of the parts that have a
// rate, their rates). Text is a length and UTF-8 bytes; a rate is its scale, divisor and mantissa; counts, lengths,
// scales, divisors, limits and mantissas are LEB128. Fixed-width integers are little-endian.
//
// The reader checks every length and limit: what it is given may be damaged.

extension ResolvedPrice {
  private static let version: UInt8 = 1

  /// The price as bytes of the current version.
  package func serialised() -> [UInt8] {
    var writer = PriceWriter()
    writer.bytes = [Self.version, isApproximate ? 1 : 0]
    writer.text(key)
    writer.fixed(validFrom)
    writer.fixed(validUntil)
    writer.rate(requestFee)
    writer.number(UInt128(units.count))
    for unit in units {
      writer.text(unit.name)
      writer.rate(unit.rate)
    }
    writer.number(UInt128(bands.count))
    for band in bands {
      writer.number(UInt128(band.above + 1))
      let mask = band.rates.indices.reduce(0) { $0 | (band.rates[$1] == nil ? 0 : 1 << $1) }
      writer.number(UInt128(mask))
      for rate in band.rates { if let rate { writer.rate(rate) } }
    }
    return writer.bytes
  }

  /// The price in `bytes`, or nil where they are not exactly one price of a version that this build knows.
  package static func deserialised(_ bytes: Span<UInt8>) -> ResolvedPrice? {
    var reader = PriceReader(position: 0)
    guard reader.byte(bytes) == version, let flags = reader.byte(bytes), flags < 2,
      let key = reader.text(bytes),
      let from = reader.fixed(bytes), let until = reader.fixed(bytes),
      let fee = reader.rate(bytes),
      let units = reader.units(bytes),
      let bands = reader.bands(bytes),
      reader.position == bytes.count,
      commonDivisor(bands, units, fee) <= maximumDivisor
    else { return nil }
    return ResolvedPrice(
      key: key, validFrom: from, validUntil: until, isApproximate: flags == 1, bands: bands,
      units: units, requestFee: fee)
  }

  /// The bound that the 256-bit arithmetic counts on.
  package static let maximumDivisor: UInt64 = 1 << 20

  private static func commonDivisor(_ bands: [PriceBand], _ units: [UnitPrice], _ fee: Rate)
    -> UInt64
  {
    let rates = bands.flatMap { $0.rates.compactMap { $0 } } + units.map(\.rate) + [fee]
    return rates.reduce(1) { (multiple, rate) in
      multiple > maximumDivisor ? multiple : commonMultiple(multiple, rate.divisor)
    }
  }
}

private struct PriceWriter {
  var bytes: [UInt8] = []

  mutating func number(_ value: UInt128) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func fixed(_ value: Int64) {
    for shift in 0..<8 {
      bytes.append(UInt8(truncatingIfNeeded: UInt64(bitPattern: value) >> UInt64(8 * shift)))
    }
  }

  mutating func text(_ text: String) {
    number(UInt128(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func rate(_ rate: Rate) {
    number(UInt128(rate.scale))
    number(UInt128(rate.divisor))
    number(rate.mantissa)
  }
}

private struct PriceReader {
  var position: Int

  mutating func byte(_ bytes: Span<UInt8>) -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func number(_ bytes: Span<UInt8>) -> UInt128? {
    var value: UInt128 = 0
    for shift in 0..<19 {
      guard let byte = byte(bytes) else { return nil }
      value |= UInt128(byte & 0x7F) << UInt128(7 * shift)
      if byte < 0x80 { return value }
    }
    return nil
  }

  /// A number of at most `limit`.
  mutating func count(_ bytes: Span<UInt8>, limit: Int) -> Int? {
    guard let value = number(bytes), value <= UInt128(limit) else { return nil }
    return Int(value)
  }

  mutating func fixed(_ bytes: Span<UInt8>) -> Int64? {
    var value: UInt64 = 0
    for shift in 0..<8 {
      guard let byte = byte(bytes) else { return nil }
      value |= UInt64(byte) << UInt64(8 * shift)
    }
    return Int64(bitPattern: value)
  }

  mutating func text(_ bytes: Span<UInt8>) -> String? {
    guard let length = count(bytes, limit: bytes.count - position) else { return nil }
    guard length <= bytes.count - position else { return nil }
    var copy: [UInt8] = []
    for index in position..<(position + length) { copy.append(bytes[index]) }
    position += length
    return String(validating: copy, as: UTF8.self)
  }

  mutating func rate(_ bytes: Span<UInt8>) -> Rate? {
    guard let scale = count(bytes, limit: Rate.maximumDerivedScale),
      let divisor = count(bytes, limit: Int(Rate.maximumDivisor)),
      let mantissa = number(bytes)
    else { return nil }
    return Rate(mantissa: mantissa, scale: scale, divisor: UInt64(divisor))
  }

  mutating func units(_ bytes: Span<UInt8>) -> [UnitPrice]? {
    guard let count = count(bytes, limit: 1_024) else { return nil }
    var units: [UnitPrice] = []
    for _ in 0..<count {
      guard let name = text(bytes), let rate = rate(bytes) else { return nil }
      units.append(UnitPrice(name: name, rate: rate))
    }
    return units
  }

  mutating func bands(_ bytes: Span<UInt8>) -> [PriceBand]? {
    guard let count = count(bytes, limit: 256), count > 0 else { return nil }
    var bands: [PriceBand] = []
    for _ in 0..<count {
      guard let limit = self.count(bytes, limit: .max), let mask = self.count(bytes, limit: 511)
      else { return nil }
      var rates: [Rate?] = Array(repeating: nil, count: PricePart.tokenPartCount)
      for part in rates.indices where mask & 1 << part != 0 {
        guard let rate = rate(bytes) else { return nil }
        rates[part] = rate
      }
      let above = Int64(limit) - 1
      guard bands.isEmpty ? above == -1 : above > bands[bands.count - 1].above else { return nil }
      bands.append(PriceBand(above: above, rates: rates))
    }
    return bands
  }
}
