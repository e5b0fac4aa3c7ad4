/// Counts the records of a metrics or logs request, and checks that it is one.
struct RecordSurvey {
  let signal: OTLPSignal
  /// Data points or log records.
  var records = 0
  /// Whether a metric or log record is one of GenAI.
  var hasGenAI = false

  static let genAIPrefix = Array("gen_ai.".utf8)

  init(_ signal: OTLPSignal) { self.signal = signal }

  mutating func note(name: some Collection<UInt8>) {
    if name.starts(with: Self.genAIPrefix) { hasGenAI = true }
  }

  /// Walks `resource_…`, `scope_…` and records, which have the same numbers in both signals.
  mutating func read(_ bytes: Span<UInt8>) throws(ProtobufFault) {
    var resources = ProtobufReader(from: 0, to: bytes.count)
    var resource = ProtobufField()
    while try resources.next(bytes, &resource) {
      guard resource.isMessage(1) else { continue }
      var scopes = ProtobufReader(from: resource.start, to: resource.end)
      var scope = ProtobufField()
      while try scopes.next(bytes, &scope) {
        guard scope.isMessage(2) else { continue }
        var items = ProtobufReader(from: scope.start, to: scope.end)
        var item = ProtobufField()
        while try items.next(bytes, &item) {
          if item.isMessage(2) { try readRecord(bytes, item) }
        }
      }
    }
  }

  private mutating func readRecord(
    _ bytes: Span<UInt8>, _ whole: ProtobufField
  ) throws(ProtobufFault) {
    if signal == .logs { records += 1 }
    var reader = ProtobufReader(from: whole.start, to: whole.end)
    var field = ProtobufField()
    while try reader.next(bytes, &field) {
      guard field.wire == ProtobufWire.bytes else { continue }
      switch (signal, field.number) {
      // A metric's name; a log record's event name.
      case (.metrics, 1), (.logs, 12): note(bytes, field)
      // Gauge, sum, histogram, exponential histogram, summary: all have their points at 1.
      case (.metrics, 5), (.metrics, 7), (.metrics, 9), (.metrics, 10), (.metrics, 11):
        var points = ProtobufReader(from: field.start, to: field.end)
        var point = ProtobufField()
        while try points.next(bytes, &point) {
          if point.isMessage(1) { records += 1 }
        }
      default: break
      }
    }
  }

  private mutating func note(_ bytes: Span<UInt8>, _ field: ProtobufField) {
    var name: [UInt8] = []
    for index in field.start..<min(field.end, field.start + Self.genAIPrefix.count) {
      name.append(bytes[index])
    }
    note(name: name)
  }
}
