internal import CSQLite

// Functions of ours that statements may call.

/// The arguments of one call, lent by SQLite for the call.
@safe package struct SQLArguments: ~Escapable {
  package let count: Int
  private let values: UnsafeMutablePointer<OpaquePointer?>?

  @_lifetime(immortal)
  fileprivate init(_ values: UnsafeMutablePointer<OpaquePointer?>?, count: Int) {
    self.count = count
    unsafe self.values = values
  }

  /// A copy of an argument; null where there is none.
  package func value(_ place: Int) -> SQLValue {
    guard let value = unsafe pointer(place) else { return .null }
    return unsafe SQLDatabase.value(value)
  }

  /// The argument where it is an integer.
  package func integer(_ place: Int) -> Int64? {
    guard let value = unsafe pointer(place), unsafe sqlite3_value_type(value) == SQLITE_INTEGER
    else {
      return nil
    }
    return unsafe sqlite3_value_int64(value)
  }

  /// The argument where it is an integer or a real number.
  package func number(_ place: Int) -> Double? {
    guard let value = unsafe pointer(place) else { return nil }
    let type = unsafe sqlite3_value_type(value)
    guard type == SQLITE_INTEGER || type == SQLITE_FLOAT else { return nil }
    return unsafe sqlite3_value_double(value)
  }

  package func isNull(_ place: Int) -> Bool {
    guard let value = unsafe pointer(place) else { return true }
    return unsafe sqlite3_value_type(value) == SQLITE_NULL
  }

  /// Calls `body` with the bytes of a text; nil where the argument is none.
  package func withText<Result>(_ place: Int, _ body: (Span<UInt8>) -> Result) -> Result? {
    guard let value = unsafe pointer(place), unsafe sqlite3_value_type(value) == SQLITE_TEXT,
      let text = unsafe sqlite3_value_text(value)
    else { return nil }
    let count = Int(unsafe sqlite3_value_bytes(value))
    // SQLite lends `count` bytes at `text` until the value changes, which is after the call.
    return body(unsafe Span(_unsafeElements: UnsafeBufferPointer(start: text, count: count)))
  }

  private func pointer(_ place: Int) -> OpaquePointer? {
    guard place >= 0, place < count, let values = unsafe values else { return nil }
    return unsafe values[place]
  }
}

/// What an aggregate function keeps of a group.
package protocol SQLAccumulator: AnyObject {
  /// - Throws: ``SQLFailure`` where the arguments are wrong.
  func add(_ arguments: borrowing SQLArguments) throws(SQLFailure)
  func result() throws(SQLFailure) -> SQLValue
}

/// A function that statements may call by its name.
package struct SQLFunction {
  package enum Body {
    case scalar((borrowing SQLArguments) throws(SQLFailure) -> SQLValue)
    /// Makes the accumulator of a new group.
    case aggregate(() -> any SQLAccumulator)
  }

  package let name: String
  package let argumentCount: Int
  package let body: Body

  package init(_ name: String, argumentCount: Int, _ body: Body) {
    self.name = name
    self.argumentCount = argumentCount
    self.body = body
  }
}

/// How two texts compare: negative, zero or positive. It has to be an order of all texts.
package typealias SQLOrder = (Span<UInt8>, Span<UInt8>) -> Int

private final class FunctionBox {
  let body: SQLFunction.Body
  init(_ body: SQLFunction.Body) { self.body = body }
}

/// A group's accumulator: one class, so that a row needs no cast.
private final class AccumulatorBox {
  let accumulator: any SQLAccumulator
  init(_ accumulator: any SQLAccumulator) { self.accumulator = accumulator }
}

private final class OrderBox {
  let order: SQLOrder
  init(_ order: @escaping SQLOrder) { self.order = order }
}

extension SQLDatabase {
  /// Adds a function.
  ///
  /// - Throws: ``SQLFailure`` where SQLite does not take it.
  package func add(_ function: SQLFunction) throws(SQLFailure) {
    let box = unsafe Unmanaged.passRetained(FunctionBox(function.body))
    let isScalar = if case .scalar = function.body { true } else { false }
    let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
    try expect(
      unsafe sqlite3_create_function_v2(
        handle, function.name, Int32(function.argumentCount), flags, box.toOpaque(),
        isScalar ? { unsafe SQLDatabase.call($0, $1, $2) } : nil,
        isScalar ? nil : { unsafe SQLDatabase.step($0, $1, $2) },
        isScalar ? nil : { unsafe SQLDatabase.finish($0) },
        { box in if let box = unsafe box { unsafe Unmanaged<FunctionBox>.fromOpaque(box).release() }
        }
      ))
  }

  /// Adds a collation that columns may name.
  ///
  /// - Throws: ``SQLFailure`` where SQLite does not take it.
  package func add(collation name: String, _ order: @escaping SQLOrder) throws(SQLFailure) {
    let box = unsafe Unmanaged.passRetained(OrderBox(order))
    try expect(
      unsafe sqlite3_create_collation_v2(
        handle, name, SQLITE_UTF8, box.toOpaque(),
        { box, leftCount, left, rightCount, right in
          guard let box = unsafe box else { return 0 }
          let order = unsafe Unmanaged<OrderBox>.fromOpaque(box).takeUnretainedValue().order
          // SQLite lends the bytes of both texts for the call.
          let leftBytes = unsafe UnsafeRawBufferPointer(start: left, count: Int(leftCount))
          let rightBytes = unsafe UnsafeRawBufferPointer(start: right, count: Int(rightCount))
          let result = unsafe order(
            Span(_unsafeBytes: leftBytes), Span(_unsafeBytes: rightBytes))
          return result < 0 ? -1 : result > 0 ? 1 : 0
        },
        { box in if let box = unsafe box { unsafe Unmanaged<OrderBox>.fromOpaque(box).release() } }
      ))
  }

  private static func body(_ context: OpaquePointer) -> SQLFunction.Body? {
    guard let box = unsafe sqlite3_user_data(context) else { return nil }
    return unsafe Unmanaged<FunctionBox>.fromOpaque(box).takeUnretainedValue().body
  }

  private static func call(
    _ context: OpaquePointer?, _ count: Int32, _ values: UnsafeMutablePointer<OpaquePointer?>?
  ) {
    guard let context = unsafe context, case .scalar(let function)? = unsafe body(context) else {
      return
    }
    do throws(SQLFailure) {
      unsafe emit(context, try function(SQLArguments(values, count: Int(count))))
    } catch {
      unsafe fail(context, error)
    }
  }

  /// The place where SQLite keeps a group's accumulator; nil where it has no memory, or where `count`
  /// is 0 and the group had no row.
  private static func accumulator(
    _ context: OpaquePointer, count: Int32
  ) -> UnsafeMutablePointer<Unmanaged<AccumulatorBox>?>? {
    unsafe sqlite3_aggregate_context(context, count)?
      .assumingMemoryBound(to: Unmanaged<AccumulatorBox>?.self)
  }

  private static func step(
    _ context: OpaquePointer?, _ count: Int32, _ values: UnsafeMutablePointer<OpaquePointer?>?
  ) {
    guard let context = unsafe context else { return }
    let size = unsafe Int32(MemoryLayout<Unmanaged<AccumulatorBox>?>.size)
    // SQLite gives zeroed memory at the first call for a group: a nil reference.
    guard let place = unsafe accumulator(context, count: size) else {
      return unsafe sqlite3_result_error_nomem(context)
    }
    if unsafe place.pointee == nil {
      guard case .aggregate(let make)? = unsafe body(context) else { return }
      unsafe place.pointee = Unmanaged.passRetained(AccumulatorBox(make()))
    }
    guard let accumulator = unsafe place.pointee?.takeUnretainedValue().accumulator else { return }
    do throws(SQLFailure) {
      try accumulator.add(unsafe SQLArguments(values, count: Int(count)))
    } catch {
      unsafe fail(context, error)
    }
  }

  private static func finish(_ context: OpaquePointer?) {
    guard let context = unsafe context else { return }
    var accumulator: (any SQLAccumulator)?
    if let place = unsafe self.accumulator(context, count: 0) {
      accumulator = unsafe place.pointee?.takeRetainedValue().accumulator
      unsafe place.pointee = nil
    }
    if accumulator == nil, case .aggregate(let make)? = unsafe body(context) {
      accumulator = make()
    }
    guard let accumulator else { return }
    do throws(SQLFailure) {
      unsafe emit(context, try accumulator.result())
    } catch {
      unsafe fail(context, error)
    }
  }

  private static func fail(_ context: OpaquePointer, _ failure: SQLFailure) {
    unsafe sqlite3_result_error(
      context, failure.message, Int32(clamping: failure.message.utf8.count))
  }
}
