package import FarthingCore

// Every source of events has one folder here and one shape: a collector that recognises its format
// by the first bytes, and turns bytes into a decoded batch. What a format calls a field is a table
// in its folder; what fields mean is the event contract's.

/// What a collector is told beside the bytes.
package struct CollectionContext: Sendable {
  /// The clock in Unix nanoseconds.
  package var now: Int64
  /// When the call was made, as far as anything but the bytes tells: the file's modification time
  /// or the request's arrival, in Unix nanoseconds. For formats that carry no time.
  package var fallbackTime: Int64
  /// The number of the first line or element, 1-based.
  package var firstLine: Int
  /// What stands beside a raw response: the content of its `.meta.json`, or nil.
  package var metadata: [UInt8]?

  package init(
    now: Int64, fallbackTime: Int64? = nil, firstLine: Int = 1, metadata: [UInt8]? = nil
  ) {
    self.now = now
    self.fallbackTime = fallbackTime ?? now
    self.firstLine = firstLine
    self.metadata = metadata
  }
}

/// Turns the bytes of one source's format into events.
///
/// A collector may keep what links its calls over batches, so batches of one run go to one collector
/// in their order. `decode` never throws and never traps: what cannot be read is a rejection.
package protocol EventCollector: Sendable {
  /// The format's name, as `--format`, `POST /v1/collect/NAME` and the column `source` say it.
  var name: String { get }

  /// Decodes whole lines or a whole document.
  mutating func decode(_ bytes: [UInt8], _ context: CollectionContext) -> DecodedBatch
}

/// The formats of files that are understood.
package enum SourceFormat: String, Sendable, CaseIterable {
  /// The event contract's own JSON.
  case events
  /// Records of LiteLLM's generic API callback.
  case litellm
  /// Raw answers of the OpenAI API and those that speak it.
  case openai
  /// Raw answers of the Anthropic Messages API.
  case anthropic
  /// Raw answers of the Gemini API.
  case gemini
  /// Raw answers of Amazon Bedrock's Converse and InvokeModel.
  case bedrock
  /// Requests of the OpenTelemetry protocol with spans: JSON lines, one JSON document or protobuf.
  case otlp

  /// A new collector of the format, with nothing remembered.
  package func makeCollector(now: Int64) -> any EventCollector {
    switch self {
    case .events: NativeCollector(now: now)
    case .litellm: LiteLLMCollector()
    case .otlp: OTLPCollector()
    case .openai: RawResponseCollector(.openAI)
    case .anthropic: RawResponseCollector(.anthropic)
    case .gemini: RawResponseCollector(.gemini)
    case .bedrock: RawResponseCollector(.bedrock)
    }
  }

  /// Whether it is an API's answers as they came, beside which more may stand.
  package var isRawResponse: Bool {
    switch self {
    case .openai, .anthropic, .gemini, .bedrock: true
    case .events, .litellm, .otlp: false
    }
  }

  /// Whether a batch of this format may be cut between lines and elements and decoded by many
  /// collectors at once. Others need the whole file, or all batches in one collector.
  package var isDivisible: Bool { self == .events }

  /// Whether an input that begins so comes to its collector in pieces of whole records; others need
  /// all of it at once.
  func isCutIntoRecords(_ beginning: [UInt8]) -> Bool {
    switch self {
    case .events, .litellm: true
    case .otlp: beginning.first { !$0.isJSONSpace } == UInt8(ascii: "{")
    case .openai, .anthropic, .gemini, .bedrock: false
    }
  }
}
