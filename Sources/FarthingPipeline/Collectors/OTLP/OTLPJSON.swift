internal import FarthingCore

// OTLP/JSON: protobuf's JSON mapping with ids in hexadecimal and enumerations as integers. A traces
// request is rewritten as the protobuf message that it stands for, with those attributes only that
// are read, and then walked as one: so both encodings follow the same rules to the letter.

/// Why a text is no OTLP/JSON request.
struct OTLPJSONFault: OTLPFault {
  var sentence: String
}

enum OTLPJSON {
  /// The traces request as a protobuf message.
  /// - Complexity: O(n) in the bytes.
  static func traces(_ body: [UInt8]) throws(OTLPJSONFault) -> [UInt8] {
    try traces(root(of: body))
  }

  static func traces(_ root: JSONValue) throws(OTLPJSONFault) -> [UInt8] {
    var request = ProtobufWriter()
    for resourceSpans in try messages(root, "resourceSpans", "resource_spans") {
      var resource = ProtobufWriter()
      if let whole = resourceSpans.either("resource") {
        try attributes(whole, 1, to: &resource)
      }
      var message = ProtobufWriter()
      message.message(1, resource)
      for scopeSpans in try messages(resourceSpans, "scopeSpans", "scope_spans") {
        var scope = ProtobufWriter()
        if let whole = scopeSpans.either("scope") {
          scope.text(1, whole.either("name")?.text ?? "")
          scope.text(2, whole.either("version")?.text ?? "")
        }
        var spans = ProtobufWriter()
        spans.message(1, scope)
        for span in try messages(scopeSpans, "spans") { spans.message(2, try self.span(span)) }
        message.message(2, spans)
      }
      request.message(1, message)
    }
    return request.bytes
  }

  /// Counts the records of a metrics or logs request.
  static func survey(_ body: [UInt8], _ survey: inout RecordSurvey) throws(OTLPJSONFault) {
    let root = try root(of: body)
    let isMetrics = survey.signal == .metrics
    for resource in try messages(
      root,
      isMetrics ? ["resourceMetrics", "resource_metrics"] : ["resourceLogs", "resource_logs"])
    {
      for scope in try messages(
        resource, isMetrics ? ["scopeMetrics", "scope_metrics"] : ["scopeLogs", "scope_logs"])
      {
        for record in try messages(scope, isMetrics ? ["metrics"] : ["logRecords", "log_records"]) {
          let name = isMetrics ? record.either("name") : record.either("eventName", "event_name")
          survey.note(name: Array((name?.text ?? "").utf8))
          guard isMetrics else {
            survey.records += 1
            continue
          }
          for kind in kinds {
            guard let points = record.either(kind.0, kind.1) else { continue }
            survey.records += try messages(points, "dataPoints", "data_points").count
          }
        }
      }
    }
  }

  private static let kinds = [
    ("gauge", "gauge"), ("sum", "sum"), ("histogram", "histogram"),
    ("exponentialHistogram", "exponential_histogram"), ("summary", "summary"),
  ]

  private static func root(of body: [UInt8]) throws(OTLPJSONFault) -> JSONValue {
    let start = body.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let tree: JSONTree
    do {
      tree = try JSONTree(body, from: start)
    } catch {
      throw OTLPJSONFault(
        sentence: "not JSON: expected \(error.expected) at byte \(error.offset + 1)")
    }
    if let rest = body[tree.end...].firstIndex(where: { $0 > 0x20 }) {
      throw OTLPJSONFault(sentence: "not JSON: expected the end of the text at byte \(rest + 1)")
    }
    guard tree.root.isObject else {
      throw OTLPJSONFault(sentence: "not an OTLP request: expected a JSON object")
    }
    return tree.root
  }

  private static func messages(
    _ value: JSONValue, _ names: String...
  ) throws(OTLPJSONFault) -> [JSONValue] { try messages(value, names) }

  private static func messages(
    _ value: JSONValue, _ names: [String]
  ) throws(OTLPJSONFault) -> [JSONValue] {
    guard let list = value.either(names) else { return [] }
    guard list.isArray else {
      throw OTLPJSONFault(sentence: "not an OTLP request: \(names[0]) is not an array")
    }
    let elements = list.elements
    guard elements.allSatisfy(\.isObject) else {
      throw OTLPJSONFault(sentence: "not an OTLP request: \(names[0]) holds what is no object")
    }
    return elements
  }

  // MARK: Spans

  private static func span(_ value: JSONValue) throws(OTLPJSONFault) -> ProtobufWriter {
    var span = ProtobufWriter()
    span.raw(1, hex(value.either("traceId", "trace_id")))
    span.raw(2, hex(value.either("spanId", "span_id")))
    span.raw(4, hex(value.either("parentSpanId", "parent_span_id")))
    span.text(5, value.either("name")?.text ?? "")
    span.fixed(7, time(value.either("startTimeUnixNano", "start_time_unix_nano")))
    span.fixed(8, time(value.either("endTimeUnixNano", "end_time_unix_nano")))
    try attributes(value, 9, to: &span)
    for event in try messages(value, "events") {
      var message = ProtobufWriter()
      message.fixed(1, time(event.either("timeUnixNano", "time_unix_nano")))
      message.text(2, event.either("name")?.text ?? "")
      try attributes(event, 3, to: &message)
      span.message(11, message)
    }
    if let status = value.either("status"), let code = status.either("code") {
      var message = ProtobufWriter()
      let isError = code.text == "STATUS_CODE_ERROR" || code.integer == 2
      message.integer(3, isError ? 2 : 0)
      span.message(15, message)
    }
    return span
  }

  private static func hex(_ value: JSONValue?) -> [UInt8] {
    guard let digits = value?.scalar, digits.count <= 32, digits.count.isMultiple(of: 2) else {
      return []
    }
    var result: [UInt8] = []
    var high: UInt8?
    for digit in digits {
      let bits: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): bits = digit - 48
      case UInt8(ascii: "a")...UInt8(ascii: "f"): bits = digit - 87
      case UInt8(ascii: "A")...UInt8(ascii: "F"): bits = digit - 55
      default: return []
      }
      if let first = high {
        result.append(first << 4 | bits)
        high = nil
      } else {
        high = bits
      }
    }
    return result
  }

  private static func time(_ value: JSONValue?) -> UInt64 {
    UInt64(exactly: value?.integer ?? 0) ?? 0
  }

  private static func attributes(
    _ owner: JSONValue, _ field: UInt64, to writer: inout ProtobufWriter
  ) throws(OTLPJSONFault) {
    for attribute in try messages(owner, "attributes") {
      guard let key = attribute.either("key")?.scalar, isRead(key),
        let value = attribute.either("value"), value.isObject
      else { continue }
      var any = ProtobufWriter()
      if let text = value.either("stringValue", "string_value")?.scalar {
        any.raw(1, text)
      } else if let boolean = value.either("boolValue", "bool_value")?.boolean {
        any.chosen(2, boolean ? 1 : 0)
      } else if let integer = value.either("intValue", "int_value")?.integer {
        any.chosen(3, UInt64(bitPattern: integer))
      } else if let real = value.either("doubleValue", "double_value")?.literal.flatMap(Double.init)
      {
        any.fixed(4, real.bitPattern)
      } else if let list = value.either("arrayValue", "array_value"), list.isObject {
        any.message(5, texts(of: list))
      }
      var pair = ProtobufWriter()
      pair.raw(1, key)
      pair.message(2, any)
      writer.message(field, pair)
    }
  }

  /// The texts of a list; what else is in it is not read.
  private static func texts(of list: JSONValue) -> ProtobufWriter {
    var result = ProtobufWriter()
    for value in list.either("values")?.elements ?? [] where value.isObject {
      guard let text = value.either("stringValue", "string_value")?.scalar else { continue }
      var any = ProtobufWriter()
      any.raw(1, text)
      result.message(1, any)
    }
    return result
  }

  private static func isRead(_ key: ArraySlice<UInt8>) -> Bool {
    AttributeKeyTable.standard.knows(Array(key)) || key.starts(with: SpanFields.ownPrefix)
      || key.starts(with: SpanFields.associationPrefix)
  }
}

extension JSONValue {
  /// The member of the first of the names that is there and not `null`.
  fileprivate func either(_ names: String...) -> JSONValue? { either(names) }

  fileprivate func either(_ names: [String]) -> JSONValue? {
    for name in names {
      if let value = member(Array(name.utf8)), !value.isNull { return value }
    }
    return nil
  }
}

extension AttributeKeyTable {
  /// Whether the key is one that is read.
  func knows(_ key: [UInt8]) -> Bool { place(key.span, from: 0, to: key.count) >= 0 }
}
