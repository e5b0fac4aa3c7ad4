import FarthingCore
import FarthingStore
import FarthingTestSupport

/// Rows that show every kind of column, in the forms that the store gives them.
enum FuzzStore {
  /// Requests and outcomes with every kind of field; `count` requests.
  static func batch(_ count: Int) -> ChargedBatch {
    var text = ""
    for number in 0..<count {
      let time = 1_795_100_000_000_000_000 + number * 7_919_000_003
      text += #"{"time":\#(time),"model":"m-\#(number % 3)""#
      text += #","task":"t-\#(number / 3)","input_tokens":\#(100 + number * 13 % 97)"#
      text += #","output_tokens":\#(number % 11),"latency_ms":\#(number).\#(number % 10)"#
      if number % 2 == 0 { text += #","id":"r-00\#(number)","ttft_ms":0.125,"usage":"reported""# }
      if number % 3 == 0 { text += #","prompt_hash":"9e3779b97f4a7c\#(10 + number)""# }
      if number % 4 == 0 { text += #","tags":{"team":"a\#(number % 5)"},"units":{"web_search":3}"# }
      if number % 5 == 0 { text += #","status":"error","attempt":2,"reported_cost_usd":"0.25""# }
      text += "}\n"
      if number % 6 == 0 {
        text += #"{"type":"outcome","time":"2026-11-20T11:00:00Z","task":"t-\#(number / 3)""#
        text += #","outcome":"success","value_usd":1.5}"# + "\n"
      }
    }
    text += #"{"type":"capacity","time":"2026-11-20T00:00:00Z","until":"2026-11-21T00:00:00Z""#
    text += #","site":"s","pool":"p","accelerators":8,"usd_per_accelerator_hour":2.5}"# + "\n"
    return Batches.charge(text)
  }

  /// The rows of one kind as the bytes of a segment with the id 9.
  static func segment(_ kind: EventKind, rows: Int) -> [UInt8] {
    let batch = batch(rows)
    let buffer = WriteBuffer(kind: kind)
    buffer.append(
      batch.decoded, charges: batch.charges,
      prices: batch.prices.map { StoredPrice(key: $0.key, bytes: $0.serialised()) },
      source: batch.source, selection: batch.decoded.events.indices, receivedTime: fuzzClock)
    return buffer.sealed(id: 9)?.bytes ?? []
  }

  static func reader(_ kind: EventKind) -> SegmentReader? {
    try? SegmentReader.open(MemorySegmentSource(name: "9", bytes: segment(kind, rows: 24)))
  }
}
