// Decoded events as the contract's own lines, for whoever passes events on.
//
// What a decoder makes of a line is what it made of the source: decode(encode(event)) = event in every
// field. Times are integers of nanoseconds, money is decimal text, a real number is written with the
// fewest digits that read back as itself. Fields stand in a fixed order, which decoders learn. What the
// contract does not name was left out when the event was decoded, so prompts cannot be in a line.

/// Writes events as NDJSON of the event contract.
package enum EventEncoder {
  /// Appends the line of an event, its line feed included.
  ///
  /// - Parameter batch: the batch whose bytes and entries the event points into.
  /// - Complexity: O(n) in the bytes of the line.
  package static func append(
    _ event: borrowing DecodedEvent, of batch: borrowing DecodedBatch, to line: inout [UInt8]
  ) {
    var fields = FieldList(start: line.count)
    if event.kind != .request {
      fields.key(.type, to: &line)
      line.append(contentsOf: event.kind == .outcome ? quotedOutcome : quotedCapacity)
    }
    fields.key(.time, to: &line)
    append(event.time, to: &line)
    if event.kind == .capacity {
      fields.key(.until, to: &line)
      append(event.until, to: &line)
    }
    for field in TextField.allCases {
      guard let range = event.range(of: field) else { continue }
      fields.key(FieldCode(field), to: &line)
      append(text: range, of: batch, to: &line)
    }
    appendNumbers(event, &fields, to: &line)
    appendEntries(event, of: batch, &fields, to: &line)
    line.append(UInt8(ascii: "}"))
    line.append(UInt8(ascii: "\n"))
  }

  private static let quotedOutcome = Array("\"outcome\"".utf8)
  private static let quotedCapacity = Array("\"capacity\"".utf8)

  /// `{"name":` for the first field of a line and `,"name":` for the others.
  private struct FieldList {
    let start: Int

    mutating func key(_ code: FieldCode, to line: inout [UInt8]) {
      line.append(line.count == start ? UInt8(ascii: "{") : UInt8(ascii: ","))
      line.append(contentsOf: EventEncoder.keys[Int(code.rawValue)])
    }
  }

  /// `"name":` of each field, by its code.
  private static let keys: [[UInt8]] = (0..<FieldCode.count).map {
    Array("\"\(FieldCode(rawValue: UInt8($0)).contractName)\":".utf8)
  }

  // MARK: Numbers

  private static func appendNumbers(
    _ event: borrowing DecodedEvent, _ fields: inout FieldList, to line: inout [UInt8]
  ) {
    for field in IntegerField.allCases {
      guard let value = event.integer(field) else { continue }
      fields.key(FieldCode(field), to: &line)
      if field.isBoolean {
        line.append(contentsOf: value == 0 ? "false".utf8 : "true".utf8)
      } else {
        append(value, to: &line)
      }
    }
    for field in RealField.allCases {
      guard let value = event.real(field) else { continue }
      fields.key(FieldCode(field), to: &line)
      append(value, to: &line)
    }
    for field in MoneyField.allCases {
      guard let value = event.money(field) else { continue }
      fields.key(FieldCode(field), to: &line)
      line.append(UInt8(ascii: "\""))
      line.append(contentsOf: dollars(value).utf8)
      line.append(UInt8(ascii: "\""))
    }
  }

  private static func append(_ value: Int64, to line: inout [UInt8]) {
    if value < 0 { line.append(UInt8(ascii: "-")) }
    let magnitude = value.magnitude
    if magnitude < 10 {
      line.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude))
      return
    }
    var power: UInt64 = 10
    while magnitude / power >= 10 { power *= 10 }
    while power > 0 {
      line.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude / power % 10))
      power /= 10
    }
  }

  /// Nearly all durations have at most three decimals, which need no search for the shortest form: the
  /// decoder divides the digits by the power of ten, so what divides back to the value reads back as it.
  private static func append(_ value: Double, to line: inout [UInt8]) {
    let thousandths = value * 1000
    guard thousandths < 9e15, thousandths == thousandths.rounded(), thousandths / 1000 == value
    else {
      line.append(contentsOf: value.description.utf8)
      return
    }
    let digits = Int64(thousandths)
    append(digits / 1000, to: &line)
    var rest = digits % 1000
    guard rest != 0 else { return }
    line.append(UInt8(ascii: "."))
    var power: Int64 = 100
    while rest != 0 {
      line.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / power))
      rest %= power
      power /= 10
    }
  }

  /// An amount as decimal text that reads back as itself.
  private static func dollars(_ picodollars: Int128) -> String {
    // 10¹⁵ dollars has a digit more than may be written; it comes from rounding, and comes so again.
    let limit = Int128(1_000_000_000_000_000) * Picodollars.perDollar
    return picodollars == limit
      ? "999999999999999.9999999999995" : Picodollars(picodollars).decimalText
  }

  // MARK: Texts

  private static func append(
    text range: ByteRange, of batch: borrowing DecodedBatch, to line: inout [UInt8]
  ) {
    let start = Int(range.offset)
    append(text: batch.bytes[start..<start + Int(range.length)], to: &line)
  }

  /// Appends a text in quotes, with the escapes that JSON asks for.
  package static func append(text bytes: ArraySlice<UInt8>, to line: inout [UInt8]) {
    line.append(UInt8(ascii: "\""))
    if bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) {
      line.append(contentsOf: bytes)
    } else {
      for byte in bytes {
        switch byte {
        case 0x22, 0x5C:
          line.append(UInt8(ascii: "\\"))
          line.append(byte)
        case ..<0x20:
          // No accepted event has one. A line feed that came through all the same must not end a line.
          line.append(contentsOf: "\\u00".utf8)
          line.append(UInt8(ascii: "0") + byte >> 4)
          line.append(byte & 15 < 10 ? 0x30 + byte & 15 : 0x57 + byte & 15)
        default: line.append(byte)
        }
      }
    }
    line.append(UInt8(ascii: "\""))
  }

  private static func appendEntries(
    _ event: borrowing DecodedEvent, of batch: borrowing DecodedBatch, _ fields: inout FieldList,
    to line: inout [UInt8]
  ) {
    for (code, range) in [(FieldCode.tags, event.tags), (FieldCode.units, event.units)] {
      guard !range.isEmpty else { continue }
      fields.key(code, to: &line)
      for place in range {
        let entry = batch.entries[place]
        line.append(place == range.lowerBound ? UInt8(ascii: "{") : UInt8(ascii: ","))
        append(text: entry.name, of: batch, to: &line)
        line.append(UInt8(ascii: ":"))
        if code == .tags {
          append(text: entry.text, of: batch, to: &line)
        } else {
          append(entry.count, to: &line)
        }
      }
      line.append(UInt8(ascii: "}"))
    }
  }
}
