import Foundation

@testable import FarthingCore
@testable import FarthingPipeline

/// The price lists and cases beside the package, where they are.
enum SharedPriceCases {
  static let folder: String? = {
    let roots: [String?] = [
      ProcessInfo.processInfo.environment["FARTHING_SHARED"],
      URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../../shared")
        .standardizedFileURL.path,
    ]
    return roots.compactMap { $0 }.map { $0 + "/data/prices" }.first {
      FileManager.default.fileExists(atPath: $0 + "/cases.jsonl")
    }
  }()

  static func bytes(_ name: String) throws -> [UInt8] {
    guard let folder else { throw CocoaError(.fileNoSuchFile) }
    return Array(try Data(contentsOf: URL(filePath: folder + "/" + name)))
  }

  static func list(_ name: String, _ format: PriceListFormat) throws -> StoredPriceList {
    StoredPriceList(id: 1, name: name, format: format, bytes: try bytes(name))
  }
}

/// One line of `cases.jsonl`.
struct PriceCase {
  let tree: PriceTree

  static func all(_ bytes: [UInt8]) -> [PriceCase] {
    bytes.split(separator: 0x0A).compactMap { PriceTree(Array($0), at: 0).map(PriceCase.init) }
  }

  subscript(_ name: String) -> String? { tree[name]?.decimal }

  func count(_ name: String) -> Int64? { tree["usage"]?[name]?.decimal.flatMap { Int64($0) } }

  var source: String { self["source"] ?? "" }

  var request: PriceRequest {
    let context = tree["price_context"]
    let usage = tree["usage"]
    let time = self["request_time"].map { (text) in
      (PriceDate.nanoseconds(String(text.prefix(10))) ?? 0)
        + (PriceDate.timeOfDay(String(text.dropFirst(11))) ?? 0)
    }
    return PriceRequest(
      model: self["model"] ?? "", provider: self["provider"],
      serviceTier: context?["service_tier"]?.text ?? usage?["service_tier"]?.text,
      isBatch: usage?["batch"] == .boolean(true) || context?["processing"]?.text == "batch",
      time: time ?? 1_780_000_000_000_000_000)
  }

  /// Usage in Farthing's words; genai-prices counts long writes among the written.
  var usage: TokenUsage {
    let isGenAI = source.hasPrefix("genai")
    let long = count("cache_write_1h_tokens") ?? 0
    let written = count("cache_write_tokens") ?? 0
    return TokenUsage(
      inputTokens: count("input_tokens"),
      cachedInputTokens: count(isGenAI ? "cache_read_tokens" : "cached_input_tokens") ?? 0,
      cacheWriteTokens: isGenAI ? written - long : written, cacheWrite1hTokens: long,
      outputTokens: count("output_tokens") ?? 0, reasoningTokens: count("reasoning_tokens") ?? 0,
      inputAudioTokens: count("input_audio_tokens") ?? 0,
      outputAudioTokens: count("output_audio_tokens") ?? 0,
      inputImageTokens: count("input_image_tokens") ?? 0)
  }
}
