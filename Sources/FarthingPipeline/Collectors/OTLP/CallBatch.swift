internal import FarthingCore

/// Makes events of drafts: copies their few texts out of the body, and checks the contract's rules.
struct CallBatch {
  private(set) var batch = DecodedBatch()
  private let now: Int64
  private let arena: TextArena
  private let entries: [NamedEntry]

  init(now: Int64, arena: TextArena, entries: [NamedEntry], capacity: Int) {
    self.now = now
    self.arena = arena
    self.entries = entries
    batch.events.reserveCapacity(capacity)
    batch.bytes.reserveCapacity(capacity * 160)
  }

  /// Adds the call, or its rejection.
  ///
  /// - Parameter fallbackFrom: The model of the route that was tried before, where a gateway fell back.
  /// - Returns: Whether it became an event.
  mutating func add(_ draft: borrowing CallDraft, fallbackFrom: String?) -> Bool {
    var event = draft.event
    let firstByte = batch.bytes.count
    let firstEntry = batch.entries.count
    if let id = id(of: draft) {
      event.set(.id, place(id, limit: EventLimits.idBytes))
    }
    var present = event.textPresence & ~(1 << UInt32(TextField.id.rawValue))
    while present != 0 {
      let number = UInt8(truncatingIfNeeded: present.trailingZeroBitCount)
      present &= present - 1
      if let field = TextField(rawValue: number), let range = event.range(of: field) {
        set(field, range, in: &event)
      }
    }
    if let model = fallbackFrom {
      event.set(.fallbackFrom, place(ArraySlice(model.utf8), limit: EventLimits.textBytes))
    }
    for entry in entries[event.tags] {
      let name = place(arena.slice(entry.name), limit: EventLimits.textBytes)
      let text = place(arena.slice(entry.text), limit: EventLimits.textBytes)
      if name.length > 0, text.length > 0 {
        batch.entries.append(NamedEntry(name: name, text: text))
      }
    }
    event.tags = firstEntry..<batch.entries.count
    event.units = batch.entries.count..<batch.entries.count
    let rejection =
      event.range(of: .id) == nil
      ? EventRejection(
        line: event.line, field: "id", value: nil,
        expected: "a trace id of 16 bytes and a span id of 8, or the provider's response id")
      : EventRules.check(event, in: batch, now: now, from: .otherFormat)
    if let rejection {
      batch.entries.removeSubrange(firstEntry...)
      batch.bytes.removeSubrange(firstByte...)
      batch.rejections.append(rejection)
      return false
    }
    batch.events.append(event)
    return true
  }

  private mutating func set(_ field: TextField, _ range: ByteRange, in event: inout DecodedEvent) {
    let placed = place(arena.slice(range), limit: EventLimits.textBytes)
    if placed.length == 0 {
      event.textPresence &= ~(1 << UInt32(field.rawValue))
    } else {
      event.set(field, placed)
    }
  }

  /// Copies a text that fits the contract as it is, and one that does not as far as it does.
  private mutating func place(_ text: ArraySlice<UInt8>, limit: Int) -> ByteRange {
    let offset = batch.bytes.count
    if text.count <= limit, EventRules.isPlain(text) {
      batch.bytes.append(contentsOf: text)
    } else {
      let string = DescriptiveText.fitting(String(decoding: text.prefix(1 << 16), as: UTF8.self))
      batch.bytes +=
        limit == EventLimits.idBytes
        ? Array(DescriptiveText.id(string).utf8) : Array(string.utf8)
    }
    return ByteRange(
      offset: UInt32(truncatingIfNeeded: offset),
      length: UInt32(truncatingIfNeeded: batch.bytes.count - offset))
  }

  /// The idempotency key: what the source says, the provider's id of the answer, the source's own id
  /// of the call, or trace and span.
  private func id(of draft: borrowing CallDraft) -> ArraySlice<UInt8>? {
    if let own = draft.event.range(of: .id) { return arena.slice(own) }
    if let answer = draft.responseID { return arena.slice(answer) }
    if let call = draft.callID {
      guard draft.isFailure else { return arena.slice(call) }
      // All attempts of a request share the id; as the generic callback's records, failed ones add
      // their start, to the microsecond that the callback knows.
      let microseconds = draft.start / 1000 + (draft.start % 1000 >= 500 ? 1 : 0)
      return arena.slice(call) + Array(":\(microseconds)000".utf8)
    }
    return draft.id.isValid ? draft.id.text[...] : nil
  }
}
