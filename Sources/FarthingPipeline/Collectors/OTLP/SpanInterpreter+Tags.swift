internal import FarthingCore

/// Tags, and fields of the contract that an attribute names.
extension SpanInterpreter {
  mutating func setTags(_ attributes: AttributeSet, in draft: inout CallDraft) {
    var tags = resourceTags
    for (name, place) in SpanFields.tags where attributes.has(place) {
      add(tag: name, attributes.value(at: place), to: &tags)
    }
    for (name, value) in attributes.named where isAssociation(name) {
      let key = String(
        decoding: arena.body[name].dropFirst(SpanFields.associationPrefix.count).prefix(256),
        as: UTF8.self)
      if let text = plainText(value) { associate(key, text, in: &draft, &tags) }
    }
    if let object = text(attributes, SpanPlaces.metadata) {
      for (name, value) in SpanMetadata.members(object) {
        associate(name, arena.make(value.utf8), in: &draft, &tags)
      }
    }
    let list = attributes.value(at: SpanPlaces.tagList)
    if list.kind == .other, list.start < list.end {
      for (name, value) in SpanMetadata.tags(arena.body[list.start..<list.end]) {
        add(tag: name, text: arena.make(value.utf8), to: &tags)
      }
    }
    if !resourceNamed.isEmpty { apply(resourceNamed, to: &draft, &tags) }
    if !attributes.named.isEmpty { apply(attributes.named, to: &draft, &tags) }
    let first = entries.count
    if !tags.isEmpty { entries += tags.prefix(EventLimits.entries) }
    draft.event.tags = first..<entries.count
  }

  /// Fills the field that a user's name for a dimension means, where nothing else did, or adds a tag.
  mutating func associate(
    _ name: String, _ text: ByteRange, in draft: inout CallDraft, _ tags: inout [NamedEntry]
  ) {
    guard let field = SpanFields.associations[name] else {
      return add(tag: name, text: text, to: &tags)
    }
    if draft.event.range(of: field) == nil { draft.event.set(field, text) }
  }

  func isAssociation(_ name: Range<Int>) -> Bool {
    arena.body[name].starts(with: SpanFields.associationPrefix)
  }

  mutating func add(
    tag name: String, _ value: AttributeValue, to tags: inout [NamedEntry]
  ) {
    guard value.isPresent, let text = plainText(value) else { return }
    add(tag: name, text: text, to: &tags)
  }

  mutating func add(tag name: String, text: ByteRange, to tags: inout [NamedEntry]) {
    guard !name.isEmpty, text.length > 0 else { return }
    if let known = tags.firstIndex(where: { arena.slice($0.name).elementsEqual(name.utf8) }) {
      tags[known].text = text
    } else {
      tags.append(NamedEntry(name: arena.make(name.utf8), text: text))
    }
  }

  mutating func plainText(_ value: AttributeValue) -> ByteRange? {
    switch value.kind {
    case .boolean: arena.make((value.bits == 0 ? "false" : "true").utf8)
    case .real: arena.make("\(Double(bitPattern: value.bits))".utf8)
    default: read(value, .plain)
    }
  }

  /// Attributes named `farthing.FIELD` and `farthing.tags.NAME` count before all others.
  mutating func apply(
    _ named: [(name: Range<Int>, value: AttributeValue)], to draft: inout CallDraft,
    _ tags: inout [NamedEntry]
  ) {
    for (name, value) in named where !isAssociation(name) && value.isPresent {
      let key = String(
        decoding: arena.body[name].dropFirst(SpanFields.ownPrefix.count).prefix(256),
        as: UTF8.self)
      if key.hasPrefix("tags.") {
        add(tag: String(key.dropFirst(5)), value, to: &tags)
        continue
      }
      guard let field = ContractField(name: key), field.belongs(to: .request) else {
        noteUnread(key)
        continue
      }
      switch field {
      case .text(let field):
        if let range = read(value, .plain) { draft.event.set(field, range) }
      case .integer(let field):
        if let number = own(count: value, isBoolean: field.isBoolean) {
          draft.event.set(field, number)
        } else {
          noteUnread(key)
        }
      case .real(let field):
        if let number = own(real: value) { draft.event.set(field, number) } else { noteUnread(key) }
      case .money: setCost(value, in: &draft)
      // A span has a start of its own.
      case .time, .until: noteUnread(key)
      }
    }
  }

  mutating func noteUnread(_ field: String) {
    if unreadFields.count < 64 { unreadFields.insert(field) }
  }

  /// - Parameter isBoolean: Whether `true` and `false` are meant: values of the SDKs' environment
  ///   variables are always texts.
  func own(count value: AttributeValue, isBoolean: Bool) -> Int64? {
    if isBoolean, value.kind == .text {
      switch String(decoding: arena.body[value.start..<value.end], as: UTF8.self).lowercased() {
      case "true": return 1
      case "false": return 0
      default: break
      }
    }
    return own(count: value)
  }

  func own(count value: AttributeValue) -> Int64? {
    switch value.kind {
    case .integer: Int64(bitPattern: value.bits)
    case .boolean: value.bits == 0 ? 0 : 1
    case .text: DecimalReading.integer(arena.body[value.start..<value.end])
    case .real: Int64(exactly: Double(bitPattern: value.bits))
    case .absent, .other: nil
    }
  }

  func own(real value: AttributeValue) -> Double? {
    switch value.kind {
    case .integer: Double(Int64(bitPattern: value.bits))
    case .real: Double(bitPattern: value.bits)
    case .text: DecimalReading.double(arena.body[value.start..<value.end])
    case .absent, .boolean, .other: nil
    }
  }
}
