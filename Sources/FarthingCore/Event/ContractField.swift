/// A field of the event contract by its type: for what names fields in words, such as mappings.
package enum ContractField: Sendable, Equatable {
  case text(TextField)
  case integer(IntegerField)
  case real(RealField)
  case money(MoneyField)
  case time
  case until

  /// The field of a contract name; nil for other names, and for `type`, `tags` and `units`, which
  /// hold no single value.
  package init?(name: String) {
    guard let field = Self.all[name] else { return nil }
    self = field
  }

  /// The name in the event contract.
  package var name: String { code.contractName }

  /// All names, in the order of the contract's fields.
  package static let names: [String] = (0..<FieldCode.type.rawValue).map {
    FieldCode(rawValue: $0).contractName
  }

  private static let all: [String: ContractField] = {
    var fields: [String: ContractField] = [:]
    for raw in 0..<FieldCode.type.rawValue {
      let code = FieldCode(rawValue: raw)
      if let field = code.text {
        fields[code.contractName] = .text(field)
      } else if let field = code.integer {
        fields[code.contractName] = .integer(field)
      } else if let field = code.real {
        fields[code.contractName] = .real(field)
      } else if let field = code.money {
        fields[code.contractName] = .money(field)
      } else {
        fields[code.contractName] = code == .time ? .time : .until
      }
    }
    return fields
  }()

  private var code: FieldCode {
    switch self {
    case .text(let field): FieldCode(field)
    case .integer(let field): FieldCode(field)
    case .real(let field): FieldCode(field)
    case .money(let field): FieldCode(field)
    case .time: .time
    case .until: .until
    }
  }

  /// Whether an event of this kind may have the field.
  package func belongs(to kind: EventKind) -> Bool {
    EventShape.fields(of: kind) & code.bit != 0
  }

  /// The names of the fields that an event of this kind must have. A call of another format than
  /// the contract's may lack its model.
  package static func required(of kind: EventKind) -> [String] {
    EventShape.required(of: kind).filter { kind != .request || $0 == .time }.map(\.contractName)
  }

  /// What a value of the field has to be: the end of the sentence "expected …".
  package var expectation: String { Expectation.type(of: code) }

  /// The values that the field may have; nil where any will do.
  package var values: [String]? {
    if case .text(let field) = self { return EventShape.values(of: field) }
    return nil
  }
}

/// Decimal numbers in texts of other formats, read exactly and scaled by powers of ten.
package enum DecimalReading {
  /// The number times 10^`scale` where that is an integer of 64 bits; nil otherwise.
  package static func integer(_ text: ArraySlice<UInt8>, scale: Int = 0) -> Int64? {
    number(text)?.scaled(by: scale, isExact: true)
  }

  /// The number times 10^`scale`, rounded half away from zero; nil where it does not fit 64 bits or
  /// the text is no number.
  package static func rounded(_ text: ArraySlice<UInt8>, scale: Int) -> Int64? {
    number(text)?.scaled(by: scale, isExact: false)
  }

  /// The number times 10^`scale` as the nearest double; nil where the text is no finite number.
  package static func double(_ text: ArraySlice<UInt8>, scale: Int = 0) -> Double? {
    let bytes = Array(text)
    guard var number = JSONNumber(bytes.span, at: 0), number.end == bytes.count else { return nil }
    if scale == 0 { return number.double(bytes.span, from: 0) }
    guard number.digits <= 1 << 53, !number.hasMore, abs(number.exponent + scale) <= 22 else {
      guard let value = number.double(bytes.span, from: 0), abs(scale) <= 22 else { return nil }
      let power = JSONNumber.powerOfTen(abs(scale))
      let scaled = scale < 0 ? value / power : value * power
      return scaled.isFinite ? scaled : nil
    }
    number.exponent += scale
    return number.double(bytes.span, from: 0)
  }

  private static func number(_ text: ArraySlice<UInt8>) -> JSONNumber? {
    let bytes = Array(text)
    guard let number = JSONNumber(bytes.span, at: 0), number.end == bytes.count else { return nil }
    return number
  }
}
