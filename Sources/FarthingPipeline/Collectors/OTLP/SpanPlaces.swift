/// The places of a rule's keys, looked up once a scope.
struct RulePlaces: Sendable {
  var responseIDInside: Int?
  var modelAlias: Int?
  var usageText: Int?
  var hiddenText: Int?
  var callID: Int?

  init(_ rule: Instrumentation) {
    responseIDInside = rule.responseIDInside?.place
    modelAlias = rule.modelAlias?.place
    usageText = rule.usageText?.place
    hiddenText = rule.hiddenText?.place
    callID = rule.callID?.place
  }
}

/// Places of the keys that are asked for by name.
enum SpanPlaces {
  static let operation = AttributeKey.operation.place
  static let spanKind = AttributeKey.spanKind.place
  static let traceloopKind = AttributeKey.traceloopKind.place
  static let requestType = AttributeKey.requestType.place
  static let requestModel = AttributeKey.requestModel.place
  static let responseModel = AttributeKey.responseModel.place
  static let responseID = AttributeKey.responseID.place
  static let inputTokens = AttributeKey.inputTokens.place
  static let promptTokens = AttributeKey.promptTokens.place
  static let serverAddress = AttributeKey.serverAddress.place
  static let serverPort = AttributeKey.serverPort.place
  static let modelGroup = AttributeKey.liteModelGroup.place
  static let errorType = AttributeKey.errorType.place
  static let httpStatus = AttributeKey.httpStatus.place
  static let httpStatusOlder = AttributeKey.httpStatusOlder.place
  static let metadata = AttributeKey.metadata.place
  static let tagList = AttributeKey.tagList.place
}

/// What the last name of some kind meant.
struct Remembered<Meaning: Sendable>: Sendable {
  /// In the body; nil where there was none.
  var name: Range<Int>?
  /// Tells vocabularies apart where there are several.
  var table = 0
  var meaning: Meaning

  func holds(_ other: Range<Int>, _ body: [UInt8]) -> Bool {
    guard let name, name.count == other.count else { return false }
    let bytes = body.span
    for index in 0..<name.count
    where bytes[name.lowerBound &+ index] != bytes[other.lowerBound &+ index] {
      return false
    }
    return true
  }
}
