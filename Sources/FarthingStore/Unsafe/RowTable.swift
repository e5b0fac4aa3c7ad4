internal import FarthingCore
internal import Glibc

// The columns of a write buffer as flat memory.
//
// Each column in use owns one slab of zeroed memory with a cell for every row that a segment can
// have. Zero is absent: codes begin at 1, a text's cell is its length plus 1, and a number is kept
// with its highest bit flipped (so that zero stands for Int64.min or −0.0, which no column has).
// A column that a row lacks is therefore not touched at all.
//
// Unsafe because: twenty to thirty cells are written for each event, and arrays inside an array cost
// a uniqueness check, a bounds check and often a copy of the event each time (measured: 0.7 µs an
// event with some 30 values). A slab has `maximumRows` cells and every write is at `row`, which `append` keeps
// below that; slots are below `slotLimit` by construction. Texts are checked against the batch's
// bytes before their pointer is used. The table frees what it owns when it goes.

/// The kinds of cells.
enum CellKind: UInt8 {
  case code
  case text
  case number
}

/// One column: its slab, and what its cells refer to.
@unsafe
struct ColumnSlot {
  /// nil while no row has a value.
  var cells: UnsafeMutableRawPointer?
  /// Zeroed memory of an emptied table, for `cells`.
  var spareCells: UnsafeMutableRawPointer?
  var dictionary = unsafe ByteDictionary()
  /// Texts of a text column, one after another in the order of rows.
  var arena: UnsafeMutablePointer<UInt8>?
  var arenaUsed = 0
  var arenaSize = 0
}

/// The columns of a write buffer. Used by one thread at a time.
@safe
final class RowTable {
  /// The places of the fixed columns among the slots; tags and units follow.
  enum Place {
    static let costState = 22
    static let price = 23
    static let source = 24
    static let overflowTags = 25
    static let overflowUnits = 26
    static let integers = 27
    static let time = integers + 17
    static let receivedTime = time + 1
    static let until = time + 2
    /// Low parts: the three money fields, then cost, output, units, savings.
    static let moneyLow = until + 1
    static let moneyHigh = moneyLow + 7
    static let reals = moneyHigh + 7
    static let tags = reals + 7
    static let units = tags + maximumTags
    static let bookedState = units + maximumUnits
    static let bookedPrice = bookedState + 1
    /// Low parts: cost, output, units, savings as booked.
    static let bookedLow = bookedPrice + 1
    static let bookedHigh = bookedLow + 4
    static let limit = bookedHigh + 4

    /// The fixed columns by name.
    static let fixed: [ColumnName: Int] = {
      var places: [ColumnName: Int] = [
        .costState: costState, .price: price, .source: source, .time: time,
        .receivedTime: receivedTime, .until: until,
      ]
      for field in TextField.allCases { places[.field(field)] = Int(field.rawValue) }
      for field in IntegerField.allCases { places[.field(field)] = integers + Int(field.rawValue) }
      for field in RealField.allCases { places[.field(field)] = reals + Int(field.rawValue) }
      let moneys: [ColumnName] =
        MoneyField.allCases.map { .field($0) } + [.cost, .outputCost, .unitsCost, .cacheSavings]
      for (index, name) in moneys.enumerated() {
        places[name] = moneyLow + index
        places[name.high] = moneyHigh + index
      }
      for (index, name) in moneys.suffix(4).enumerated() {
        places[name.booked] = bookedLow + index
        places[name.booked.high] = bookedHigh + index
      }
      places[.costState.booked] = bookedState
      places[.price.booked] = bookedPrice
      return places
    }()

    /// The place of a money column among the money columns.
    static func moneyIndex(_ column: MoneyColumn) -> Int {
      switch column {
      case .reportedCost: Int(MoneyField.reportedCostUSD.rawValue)
      case .cost: 3
      case .outputCost: 4
      case .unitsCost: 5
      case .cacheSavings: 6
      }
    }
  }

  /// Tag names with a column of their own; further ones share the overflow column.
  static let maximumTags = 512
  /// Unit names with a column of their own.
  static let maximumUnits = 128

  var rowCount = 0
  let slots: UnsafeMutablePointer<ColumnSlot>
  /// The names of tags and of units. Behind pointers, as the slots are: a property that changes
  /// while a row is laid out would be checked for overlapping accesses each time.
  let tagNames: UnsafeMutablePointer<ByteDictionary>
  let unitNames: UnsafeMutablePointer<ByteDictionary>
  /// For each place among an event's tags, the code of the name that stood there last.
  private let lastTagNames: UnsafeMutablePointer<UInt32>
  private static let rememberedTags = 32
  /// Most rows that the table takes.
  let capacity: Int
  /// Serialised overflow entries of the row at hand.
  var overflow: [UInt8] = []

  /// - Parameter capacity: most rows; at most what a segment holds.
  init(capacity: Int = SegmentFormat.maximumRows) {
    precondition(capacity <= SegmentFormat.maximumRows, "BUG: a table for \(capacity) rows")
    self.capacity = capacity
    unsafe slots = UnsafeMutablePointer<ColumnSlot>.allocate(capacity: Place.limit)
    unsafe slots.initialize(repeating: ColumnSlot(), count: Place.limit)
    unsafe tagNames = UnsafeMutablePointer<ByteDictionary>.allocate(capacity: 1)
    unsafe tagNames.initialize(to: ByteDictionary())
    unsafe unitNames = UnsafeMutablePointer<ByteDictionary>.allocate(capacity: 1)
    unsafe unitNames.initialize(to: ByteDictionary())
    unsafe lastTagNames = UnsafeMutablePointer<UInt32>.allocate(capacity: Self.rememberedTags)
    unsafe lastTagNames.initialize(repeating: 0, count: Self.rememberedTags)
  }

  deinit {
    for place in 0..<Place.limit {
      unsafe free(slots[place].cells)
      unsafe free(slots[place].spareCells)
      unsafe slots[place].dictionary.destroy()
      unsafe slots[place].arena?.deallocate()
    }
    unsafe slots.deallocate()
    unsafe tagNames.pointee.destroy()
    unsafe unitNames.pointee.destroy()
    unsafe tagNames.deallocate()
    unsafe unitNames.deallocate()
    unsafe lastTagNames.deallocate()
  }

  /// About the memory that the rows take.
  /// - Complexity: O(columns).
  var byteCount: Int {
    var sum = 0
    for place in 0..<Place.limit where unsafe slots[place].cells != nil {
      sum += rowCount * stride(at: place)
      sum += unsafe slots[place].dictionary.byteCount + slots[place].arenaSize
    }
    return sum
  }

  func isTag(_ place: Int) -> Bool { place >= Place.tags && place < Place.units }

  /// The size of a place's cells, bytes.
  func stride(at place: Int) -> Int {
    let isCode =
      place < Place.integers || isTag(place) || place == Place.bookedState
      || place == Place.bookedPrice
    return isCode ? 4 : 8
  }

  /// Empties the table and keeps its memory for the next rows.
  func removeAll() {
    for place in 0..<Place.limit {
      guard let cells = unsafe slots[place].cells else { continue }
      unsafe cells.initializeMemory(
        as: UInt8.self, repeating: 0, count: rowCount * stride(at: place))
      unsafe slots[place].spareCells = unsafe cells
      unsafe slots[place].cells = nil
      unsafe slots[place].dictionary.removeAll()
      unsafe slots[place].arenaUsed = 0
    }
    // Their codes belong to one run of rows: the next begins with other tags.
    unsafe tagNames.pointee.removeAll()
    unsafe unitNames.pointee.removeAll()
    unsafe lastTagNames.update(repeating: 0, count: Self.rememberedTags)
    rowCount = 0
  }

  // MARK: - Cells

  /// A place's slab, made at the first write to it.
  @inline(__always)
  func cells(_ place: Int, stride: Int) -> UnsafeMutableRawPointer {
    if let cells = unsafe slots[place].cells { return unsafe cells }
    return unsafe makeCells(place, stride: stride)
  }

  @inline(never)
  private func makeCells(_ place: Int, stride: Int) -> UnsafeMutableRawPointer {
    if let spare = unsafe slots[place].spareCells {
      unsafe slots[place].spareCells = nil
      unsafe slots[place].cells = unsafe spare
      return unsafe spare
    }
    // Zeroed by the operating system page by page, as rows come.
    guard let cells = unsafe calloc(capacity, stride) else {
      preconditionFailure("BUG: no memory for a column of \(capacity) rows")
    }
    unsafe slots[place].cells = unsafe cells
    return unsafe cells
  }

  @inline(__always)
  private func putCode(_ code: UInt32, at place: Int) {
    unsafe cells(place, stride: 4).storeBytes(
      of: code, toByteOffset: rowCount &* 4, as: UInt32.self)
  }

  @inline(__always)
  private func putNumber(_ value: Int64, at place: Int) {
    unsafe cells(place, stride: 8).storeBytes(
      of: UInt64(bitPattern: value) ^ 1 &<< 63, toByteOffset: rowCount &* 8, as: UInt64.self)
  }

  /// Puts a text into a column of codes.
  @inline(__always)
  private func putText(
    _ text: UnsafePointer<UInt8>, _ length: Int, at place: Int
  ) {
    let code = unsafe slots[place].dictionary.code(text, length)
    putCode(code, at: place)
  }

  /// Puts a text into a column of texts.
  private func putPlain(_ text: UnsafePointer<UInt8>, _ length: Int, at place: Int) {
    let used = unsafe slots[place].arenaUsed
    if unsafe used + length > slots[place].arenaSize || slots[place].arena == nil {
      growArena(place, by: length)
    }
    guard let arena = unsafe slots[place].arena else { return }
    unsafe (arena + used).update(from: text, count: length)
    unsafe slots[place].arenaUsed = used + length
    putCode(UInt32(truncatingIfNeeded: length + 1), at: place)
  }

  @inline(never)
  func growArena(_ place: Int, by length: Int) {
    let size = unsafe max(4096, (slots[place].arenaUsed + length) * 2)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    if let arena = unsafe slots[place].arena {
      unsafe larger.update(from: arena, count: slots[place].arenaUsed)
      unsafe arena.deallocate()
    }
    unsafe slots[place].arena = unsafe larger
    unsafe slots[place].arenaSize = size
  }

  /// Puts an amount of money: as it is from −2^62 up to 2^62, else in two parts. Amounts of 2^125
  /// picodollars (4 · 10^25 dollars) and more, which no event of the contract can cost, are cut to
  /// the greatest that fits.
  @inline(__always)
  private func putMoney(_ amount: Int128, at index: Int) {
    if amount >= -(1 << 62), amount < 1 << 62 {
      putNumber(Int64(truncatingIfNeeded: amount), at: Place.moneyLow + index)
    } else {
      putWideMoney(amount, at: index)
    }
  }

  @inline(never)
  private func putWideMoney(_ amount: Int128, at index: Int) {
    putNumber(Int64(amount & ((1 << 62) - 1)), at: Place.moneyLow + index)
    // `Int64.min` stands for absent.
    putNumber(max(Int64(clamping: amount >> 62), .min + 1), at: Place.moneyHigh + index)
  }

  /// The code of a text in a column of codes, given now where it is new.
  func code(of text: [UInt8], at place: Int) -> UInt32 {
    unsafe text.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      return unsafe slots[place].dictionary.code(base, buffer.count)
    }
  }

  // MARK: - Appending

  /// What the rows of one call have in common.
  struct Arrival {
    var source: [UInt8]
    /// Unix nanoseconds.
    var receivedTime: Int64
    /// By ``Charge/price``; empty for kinds without charges.
    var priceKeys: [String]
  }

  /// The names of the states, by raw value.
  private static let stateNames = CostState.allCases.map { Array("\($0)".utf8) }

  /// Appends the selected events of one kind while there is room for rows and `byteLimit` is kept.
  ///
  /// - Returns: how many of the selection were looked at, and the range of the new rows' times.
  func append(
    _ batch: borrowing DecodedBatch, kind: EventKind, charges: [Charge], selection: [Int],
    arrival: Arrival, byteLimit: Int
  ) -> (taken: Int, time: ClosedRange<Int64>?) {
    let source = code(of: arrival.source, at: Place.source)
    // Coded where a row uses it; the first is the 0 of requests that have none, whose index is −1.
    var prices = [UInt32](repeating: 0, count: arrival.priceKeys.count + 1)
    var states: [UInt32] = []
    if kind == .request {
      for name in Self.stateNames { states.append(code(of: name, at: Place.costState)) }
    }
    var taken = 0
    var least = Int64.max
    var greatest = Int64.min
    let rowsBefore = rowCount
    unsafe batch.bytes.withUnsafeBufferPointer { bytes in
      unsafe batch.events.withUnsafeBufferPointer { events in
        for index in selection {
          if rowCount >= capacity { return }
          if taken & 1023 == 1023, byteCount > byteLimit { return }
          taken += 1
          precondition(index >= 0 && index < events.count, "BUG: no event \(index)")
          guard let first = events.baseAddress else { return }
          let event = unsafe first + index
          guard unsafe event.pointee.kind == kind else { continue }
          unsafe putTexts(event, bytes)
          unsafe putNumbers(event)
          unsafe putTags(batch.entries[event.pointee.tags], bytes)
          unsafe putUnits(batch.entries[event.pointee.units], bytes)
          let time = unsafe event.pointee.time
          least = min(least, time)
          greatest = max(greatest, time)
          putNumber(time, at: Place.time)
          putNumber(arrival.receivedTime, at: Place.receivedTime)
          putCode(source, at: Place.source)
          // The one time that no rule keeps off the value that stands for absent.
          if kind == .capacity {
            unsafe putNumber(max(event.pointee.until, .min + 1), at: Place.until)
          }
          if kind == .request {
            let charge = charges[index]
            let price = Int(charge.price) + 1
            if price > 0, prices[price] == 0 {
              prices[price] = code(of: Array(arrival.priceKeys[price - 1].utf8), at: Place.price)
            }
            put(charge, state: states[Int(charge.state.rawValue)], price: prices[price])
          }
          rowCount += 1
        }
      }
    }
    return (taken, rowCount > rowsBefore ? least...greatest : nil)
  }

  /// The pointer of a text of the batch, checked to lie inside.
  @inline(__always)
  private func text(
    _ range: ByteRange, _ bytes: UnsafeBufferPointer<UInt8>
  ) -> (UnsafePointer<UInt8>, Int) {
    let offset = Int(range.offset)
    let length = Int(range.length)
    guard let base = bytes.baseAddress, offset &+ length <= bytes.count else {
      preconditionFailure("BUG: a text ends at \(offset + length), its batch at \(bytes.count)")
    }
    return unsafe (base + offset, length)
  }

  @inline(__always)
  private func putTexts(
    _ event: UnsafePointer<DecodedEvent>, _ bytes: UnsafeBufferPointer<UInt8>
  ) {
    var rest = unsafe event.pointee.textPresence
    let plain = Self.plainTexts
    while rest != 0 {
      let field = rest.trailingZeroBitCount
      rest &= rest &- 1
      let (start, length) = unsafe text(event.pointee.texts[field], bytes)
      if plain & (1 &<< UInt32(field)) != 0 {
        unsafe putPlain(start, length, at: field)
      } else {
        unsafe putText(start, length, at: field)
      }
    }
  }

  /// Bit n is set where text field n has no dictionary.
  static let plainTexts: UInt32 = TextField.allCases.reduce(0) { bits, field in
    EventColumns.isMostlyUnique(field) ? bits | 1 << UInt32(field.rawValue) : bits
  }

  @inline(__always)
  private func putNumbers(_ event: UnsafePointer<DecodedEvent>) {
    var integers = unsafe event.pointee.integerPresence
    while integers != 0 {
      let field = integers.trailingZeroBitCount
      integers &= integers &- 1
      unsafe putNumber(event.pointee.integers[field], at: Place.integers + field)
    }
    var reals = unsafe event.pointee.realPresence
    while reals != 0 {
      let field = reals.trailingZeroBitCount
      reals &= reals &- 1
      // Adding 0 turns −0.0, which would look absent, into 0.0.
      let value = unsafe event.pointee.reals[field] + 0
      putNumber(Int64(bitPattern: value.bitPattern), at: Place.reals + field)
    }
    var moneys = unsafe event.pointee.moneyPresence
    while moneys != 0 {
      let field = moneys.trailingZeroBitCount
      moneys &= moneys &- 1
      unsafe putMoney(event.pointee.moneys[field], at: field)
    }
  }

  @inline(__always)
  private func put(_ charge: Charge, state: UInt32, price: UInt32) {
    putMoney(charge.cost, at: 3)
    putMoney(charge.outputCost, at: 4)
    putMoney(charge.unitsCost, at: 5)
    putMoney(charge.cacheSavings, at: 6)
    putCode(state, at: Place.costState)
    putCode(price, at: Place.price)
  }

  private func putTags(
    _ entries: ArraySlice<NamedEntry>, _ bytes: UnsafeBufferPointer<UInt8>
  ) {
    var place = 0
    for entry in entries {
      let (name, nameLength) = unsafe text(entry.name, bytes)
      let (value, length) = unsafe text(entry.text, bytes)
      // Most events have the same tags in the same order.
      var index: UInt32 = 0
      if place < Self.rememberedTags {
        index = unsafe lastTagNames[place]
        if unsafe index == 0 || !tagNames.pointee.isText(Int(index), name, nameLength) {
          index = unsafe tagNames.pointee.code(name, nameLength, upTo: Self.maximumTags)
          unsafe lastTagNames[place] = index
        }
      } else {
        index = unsafe tagNames.pointee.code(name, nameLength, upTo: Self.maximumTags)
      }
      place &+= 1
      if index > 0 {
        unsafe putText(value, length, at: Place.tags + Int(index) - 1)
      } else {
        unsafe addOverflow(name, nameLength)
        overflow.append(variable: UInt64(length))
        unsafe overflow.append(contentsOf: UnsafeBufferPointer(start: value, count: length))
      }
    }
    if !overflow.isEmpty { flushOverflow(to: Place.overflowTags) }
  }

  private func putUnits(
    _ entries: ArraySlice<NamedEntry>, _ bytes: UnsafeBufferPointer<UInt8>
  ) {
    for entry in entries {
      let (name, nameLength) = unsafe text(entry.name, bytes)
      let index = unsafe unitNames.pointee.code(name, nameLength, upTo: Self.maximumUnits)
      if index > 0 {
        putNumber(entry.count, at: Place.units + Int(index) - 1)
      } else {
        unsafe addOverflow(name, nameLength)
        overflow.append(signed: entry.count)
      }
    }
    if !overflow.isEmpty { flushOverflow(to: Place.overflowUnits) }
  }

  func addOverflow(_ name: UnsafePointer<UInt8>, _ length: Int) {
    overflow.append(variable: UInt64(length))
    unsafe overflow.append(contentsOf: UnsafeBufferPointer(start: name, count: length))
  }

  func flushOverflow(to place: Int) {
    unsafe overflow.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      unsafe putPlain(base, buffer.count, at: place)
    }
    overflow.removeAll(keepingCapacity: true)
  }
}
