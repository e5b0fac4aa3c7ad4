/// A trace request as an instrumented application's exporter sends it, for the step that reads one.
///
/// Each span has twelve attributes: ten that are read, and two, a temperature and the reasons why the
/// answer ended, that are passed over.
enum SpanBody {
  /// - Parameter time: Start of the first span in Unix nanoseconds; each starts a millisecond later.
  static func make(spans: Int, time: UInt64) -> [UInt8] {
    var scope = message(1, text(1, "opentelemetry.instrumentation.genai.openai") + text(2, "1.3b0"))
    for number in 0..<spans { scope += message(2, span(UInt64(number), time)) }
    let resource = message(1, attribute("service.name", text(1, "doc-search")))
    return message(1, message(1, resource) + message(2, scope))
  }

  private static func span(_ number: UInt64, _ time: UInt64) -> [UInt8] {
    let start = time + number * 1_000_000
    let trace = fixed(0x9E37_79B9_7F4A_7C15 &* (number + 1)) + fixed(0x5851_F42D_4C95_7F2D ^ number)
    var bytes = message(1, trace) + message(2, fixed(0xD6E8_FEB8_6659_FD93 &* (number + 1)))
    bytes += message(4, fixed(0xC2B2_AE3D_27D4_EB4F &* (number + 1)))
    bytes += text(5, "chat gpt-4.1-mini") + varint(6 << 3) + varint(3)
    bytes += varint(7 << 3 | 1) + fixed(start) + varint(8 << 3 | 1)
    bytes += fixed(start + 800_000_000 + number * 131_071)
    let reason = message(5, message(1, text(1, "stop")))
    let id = String(number &* 0x0001_0DCD + 0x7A3F_91C2_0000, radix: 36)
    for (name, value) in [
      ("gen_ai.operation.name", text(1, "chat")), ("gen_ai.provider.name", text(1, "openai")),
      ("gen_ai.request.model", text(1, "gpt-4.1-mini")),
      ("gen_ai.request.temperature", varint(4 << 3 | 1) + fixed((0.5).bitPattern)),
      ("server.address", text(1, "api.openai.com")), ("server.port", varint(3 << 3) + varint(443)),
      ("gen_ai.response.model", text(1, "gpt-4.1-mini-2025-04-14")),
      ("gen_ai.response.id", text(1, "chatcmpl-CVyGQ9ZpTqLw" + id)),
      ("gen_ai.response.finish_reasons", reason),
      ("gen_ai.usage.input_tokens", varint(3 << 3) + varint(900 + number)),
      ("gen_ai.usage.output_tokens", varint(3 << 3) + varint(80 + number)),
      ("gen_ai.usage.cache_read.input_tokens", varint(3 << 3) + varint(number)),
    ] {
      bytes += message(9, attribute(name, value))
    }
    return bytes
  }

  private static func attribute(_ name: String, _ value: [UInt8]) -> [UInt8] {
    text(1, name) + message(2, value)
  }

  private static func message(_ field: UInt64, _ content: some Collection<UInt8>) -> [UInt8] {
    varint(field << 3 | 2) + varint(UInt64(content.count)) + Array(content)
  }

  private static func text(_ field: UInt64, _ text: String) -> [UInt8] {
    message(field, Array(text.utf8))
  }

  private static func fixed(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
