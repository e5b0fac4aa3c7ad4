/// Builds events out of other formats, one after the other, under the same rules as the decoder's.
///
/// Between ``begin(_:line:)`` and ``finish()`` the setters describe one event; absent
/// values are simply not set. Text that the contract's limits do not allow makes the event refused,
/// so what is only descriptive is shortened by its collector before.
package struct EventBatchBuilder: Sendable {
  private let now: Int64
  private var batch = DecodedBatch()
  private var event = DecodedEvent()
  private var tags: [NamedEntry] = []
  private var units: [NamedEntry] = []
  private var fault: EventFault?

  /// - Parameter now: The clock in Unix nanoseconds.
  package init(now: Int64) { self.now = now }

  /// Starts an event; what was begun and not finished is dropped.
  package mutating func begin(_ kind: EventKind, line: Int) {
    event = DecodedEvent(kind: kind, line: line)
    tags.removeAll(keepingCapacity: true)
    units.removeAll(keepingCapacity: true)
    fault = nil
  }

  /// Unix nanoseconds.
  package mutating func setTime(_ time: Int64) { event.time = time }

  /// The end of a capacity period in Unix nanoseconds.
  package mutating func setUntil(_ until: Int64) { event.until = until }

  /// Sets a text; an empty one is absent.
  package mutating func set(_ field: TextField, _ text: String) {
    if !text.isEmpty { event.set(field, place(text)) }
  }

  /// Sets a text from its bytes; what is not UTF-8 in them becomes U+FFFD, and none are absent.
  package mutating func set(_ field: TextField, bytes: ArraySlice<UInt8>) {
    if !bytes.isEmpty { event.set(field, place(bytes)) }
  }

  package mutating func set(_ field: IntegerField, _ value: Int64) { event.set(field, value) }

  package mutating func set(_ field: RealField, _ value: Double) { event.set(field, value) }

  /// Sets an amount of US dollars from its decimal text, `0.25` or `1.2e-05`, exactly.
  package mutating func set(_ field: MoneyField, dollars text: String) {
    do throws(DecimalFault) {
      let amount = try Picodollars.parse(Array(text.utf8).span)
      guard amount.rawValue >= 0 else { throw DecimalFault.notANumber }
      event.set(field, picodollars: amount.rawValue)
    } catch {
      fault = fault ?? fieldFault(field, text, Expectation.money(error))
    }
  }

  /// Sets an amount in picodollars, at least 0.
  package mutating func set(_ field: MoneyField, picodollars: Int128) {
    event.set(field, picodollars: picodollars)
  }

  /// Makes the event refused for a value that no field can take; the first fault counts.
  ///
  /// - Parameters:
  ///   - field: its contract name.
  ///   - value: what stands there; shortened here.
  ///   - expected: the end of the sentence "expected …".
  package mutating func refuse(field: String, value: String, expected: String) {
    fault = fault ?? EventFault(field: field, value: Excerpt.shortened(value), expected: expected)
  }

  private func fieldFault(_ field: MoneyField, _ text: String, _ expected: String) -> EventFault {
    EventFault(field: field.contractName, value: Excerpt.shortened(text), expected: expected)
  }

  /// Adds a tag; of two with one name the later counts, and an empty value is absent.
  package mutating func tag(_ name: String, _ value: String) {
    guard !name.isEmpty && !value.isEmpty else { return }
    let entry = NamedEntry(name: place(name), text: place(value))
    if let index = tags.firstIndex(where: { batch.string($0.name) == name }) {
      tags[index] = entry
    } else {
      tags.append(entry)
    }
  }

  /// Adds a tag whose value is given in bytes; of two with one name the later counts.
  package mutating func tag(_ name: String, bytes: ArraySlice<UInt8>) {
    guard !name.isEmpty && !bytes.isEmpty else { return }
    let known = tags.firstIndex { entry in
      Int(entry.name.length) == name.utf8.count && batch.string(entry.name) == name
    }
    let entry = NamedEntry(
      name: known.map { tags[$0].name } ?? place(name), text: place(bytes))
    if let known { tags[known] = entry } else { tags.append(entry) }
  }

  /// How many tags the event has so far.
  package var tagCount: Int { tags.count }

  /// Adds a metered unit; counts of one name are summed.
  package mutating func unit(_ name: String, _ count: Int64) {
    guard !name.isEmpty else { return }
    if let index = units.firstIndex(where: { batch.string($0.name) == name }) {
      let (sum, overflow) = units[index].count.addingReportingOverflow(count)
      units[index].count = overflow ? .max : sum
    } else {
      units.append(NamedEntry(name: place(name), count: count))
    }
  }

  /// Checks the event and adds it, or its rejection, to the batch.
  package mutating func finish() {
    var finished = event
    let first = batch.entries.count
    batch.entries += tags
    batch.entries += units
    finished.tags = first..<first + tags.count
    finished.units = first + tags.count..<batch.entries.count
    let rejection =
      fault?.rejection(line: event.line)
      ?? EventRules.check(finished, in: batch, now: now, from: .otherFormat)
    if let rejection {
      batch.entries.removeSubrange(first...)
      batch.rejections.append(rejection)
    } else {
      batch.events.append(finished)
    }
    fault = nil
  }

  /// Adds a rejection of something that no event could be made of.
  package mutating func refuse(_ rejection: EventRejection) { batch.rejections.append(rejection) }

  /// The batch so far; the builder starts anew.
  package mutating func take() -> DecodedBatch {
    defer { batch = DecodedBatch() }
    return batch
  }

  private mutating func place(_ text: ArraySlice<UInt8>) -> ByteRange {
    if text.contains(where: { $0 >= 0x80 }) { return place(String(decoding: text, as: UTF8.self)) }
    let offset = batch.bytes.count
    batch.bytes.append(contentsOf: text)
    return ByteRange(
      offset: UInt32(truncatingIfNeeded: offset), length: UInt32(truncatingIfNeeded: text.count))
  }

  private mutating func place(_ text: String) -> ByteRange {
    let offset = batch.bytes.count
    batch.bytes.append(contentsOf: text.utf8)
    return ByteRange(
      offset: UInt32(truncatingIfNeeded: offset),
      length: UInt32(truncatingIfNeeded: batch.bytes.count - offset))
  }
}
