/// A growing column of codes and its dictionary.
struct CodeBuilder {
  private(set) var codes: [UInt32] = []
  private(set) var texts = TextColumn()
  private var known: [[UInt8]: UInt32] = [:]

  /// Puts a text at `row`; rows in between are absent.
  mutating func put(_ text: ArraySlice<UInt8>, row: Int) {
    resize(&codes, to: row)
    let key = Array(text)
    if let code = known[key] {
      codes.append(code)
      return
    }
    texts.append(key)
    let code = UInt32(texts.count)
    known[key] = code
    codes.append(code)
  }

  func content(rows: Int) -> ColumnContent {
    var all = codes
    resize(&all, to: rows)
    return .codes(all, texts: texts)
  }

  var byteCount: Int { codes.count * 4 + texts.bytes.count * 3 + texts.count * 32 }
}

/// A growing column of texts.
struct TextBuilder {
  private var column = TextColumn()
  private var validity: [UInt8] = []

  mutating func put(_ text: ArraySlice<UInt8>, row: Int) {
    pad(&column, &validity, to: row)
    column.append(text)
    validity.append(1)
  }

  func content(rows: Int) -> ColumnContent {
    var all = column
    var present = validity
    pad(&all, &present, to: rows)
    all.validity = present.contains(0) ? present : nil
    return .text(all)
  }

  private func pad(_ column: inout TextColumn, _ validity: inout [UInt8], to rows: Int) {
    while column.count < rows {
      column.append([])
      validity.append(0)
    }
  }

  var byteCount: Int { column.bytes.count + column.count * 5 }
}

/// A growing column of integers.
struct IntegerBuilder {
  private(set) var values: [Int64] = []
  private var validity: [UInt8] = []

  mutating func put(_ value: Int64, row: Int) {
    resize(&values, to: row)
    resize(&validity, to: row)
    values.append(value)
    validity.append(1)
  }

  func content(rows: Int) -> ColumnContent {
    var all = values
    var present = validity
    resize(&all, to: rows)
    resize(&present, to: rows)
    return .integers(all, validity: present.contains(0) ? present : nil)
  }

  var byteCount: Int { values.count * 9 }
}

/// A growing column of binary64 numbers.
struct RealBuilder {
  private(set) var values: [Double] = []
  private(set) var validity: [UInt8] = []

  mutating func put(_ value: Double, row: Int) {
    pad(to: row)
    values.append(value)
    validity.append(1)
  }

  func content(rows: Int) -> ColumnContent {
    var all = self
    all.pad(to: rows)
    return .reals(all.values, validity: all.validity.contains(0) ? all.validity : nil)
  }

  private mutating func pad(to rows: Int) {
    while values.count < rows {
      values.append(0)
      validity.append(0)
    }
  }

  var byteCount: Int { values.count * 9 }
}

/// A growing column of money and its companion for what exceeds 62 bits.
struct MoneyBuilder {
  private var low = IntegerBuilder()
  private var high = IntegerBuilder()

  /// Amounts from −2^62 up to 2^62 stand in the low column as they are.
  mutating func put(_ amount: Int128, row: Int) {
    if amount >= -(1 << 62), amount < 1 << 62 {
      low.put(Int64(amount), row: row)
    } else {
      low.put(Int64(amount & ((1 << 62) - 1)), row: row)
      high.put(Int64(clamping: amount >> 62), row: row)
    }
  }

  func contents(_ name: ColumnName, rows: Int) -> [(ColumnName, ColumnContent)] {
    [(name, low.content(rows: rows)), (name.high, high.content(rows: rows))]
  }

  var byteCount: Int { low.byteCount + high.byteCount }
}
