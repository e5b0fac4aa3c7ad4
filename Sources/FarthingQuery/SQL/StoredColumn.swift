internal import FarthingCore
internal import FarthingStore

/// A column of a SQL table over segments: what SQLite is told of it, and where its values stand.
struct StoredColumn: Sendable {
  enum Source: Sendable, Hashable {
    case text(ColumnName)
    case integer(ColumnName)
    case real(ColumnName)
    /// Unix nanoseconds, shown as RFC 3339.
    case time(ColumnName)
    /// Picodollars, shown as decimal dollars; absent where the request is unpriced by the column
    /// of states, if one is named.
    case money(ColumnName, state: ColumnName?)
    /// Picodollars as such: an integer, and beyond 64 bits its digits as text.
    case picodollars(ColumnName, state: ColumnName?)
    /// All columns of tags, or of units, as JSON text.
    case object(isTags: Bool)
  }

  let column: SQLColumn
  let source: Source
  /// The field that the query engine's filters know; nil where there is none.
  let field: RequestField?

  init(_ name: String, _ source: Source, field: RequestField? = nil, isHidden: Bool = false) {
    self.source = source
    self.field = field
    column =
      switch source {
      case .text, .object: SQLColumn(name, .text, isHidden: isHidden)
      case .integer, .picodollars: SQLColumn(name, .integer, isHidden: isHidden)
      case .real: SQLColumn(name, .real, isHidden: isHidden)
      case .time: SQLColumn(name, .text, collation: TextOrders.instant, isHidden: isHidden)
      case .money: SQLColumn(name, .text, collation: TextOrders.decimal, isHidden: isHidden)
      }
  }

  /// A field of the requests.
  init(_ field: RequestField, isHidden: Bool = false) {
    let source: Source =
      switch FieldSource(field) {
      case .text(let name): .text(name)
      case .integer(let name), .boolean(let name): .integer(name)
      case .real(let name): .real(name)
      case .time(let name): .time(name)
      case .money(let name, let state):
        field.kind == .integer ? .picodollars(name, state: state) : .money(name, state: state)
      case .object(let isTags): .object(isTags: isTags)
      }
    self.init(field.name, source, field: field, isHidden: isHidden)
  }
}

extension StoredColumn {
  /// The columns of `requests` in the order of the contract.
  static let requests: [StoredColumn] = fields(
    """
    time id model provider operation endpoint site client_site workload identity tenant tags
    input_tokens cached_input_tokens cache_write_tokens cache_write_1h_tokens output_tokens
    reasoning_tokens input_audio_tokens output_audio_tokens input_image_tokens units usage
    response_cache prompt_hash latency_ms ttft_ms queue_ms compute_ms network_ms retrieval_ms
    status http_status error attempt fallback_from retrievals retrieval_failures cold_start batch
    service_tier data_class jurisdiction task step outcome reported_cost_usd time_unix_nano cost
    cost_picodollars cost_state source received_time
    """)

  /// Further columns of `requests`, which `SELECT *` leaves out.
  static let hiddenRequests: [StoredColumn] = fields(
    """
    price output_cost units_cost cache_savings booked_cost booked_cost_state booked_price
    """, isHidden: true)

  static let outcomes: [StoredColumn] = [
    StoredColumn("time", .time(.time)),
    StoredColumn("id", .text(.field(.id))),
    StoredColumn("task", .text(.field(.task))),
    StoredColumn("outcome", .text(.field(.outcome))),
    StoredColumn("value_usd", .money(.field(.valueUSD), state: nil)),
    StoredColumn("time_unix_nano", .integer(.time)),
    StoredColumn("source", .text(.source)),
    StoredColumn("received_time", .time(.receivedTime)),
  ]

  static let capacity: [StoredColumn] = [
    StoredColumn("time", .time(.time)),
    StoredColumn("until", .time(.until)),
    StoredColumn("id", .text(.field(.id))),
    StoredColumn("site", .text(.field(.site))),
    StoredColumn("pool", .text(.field(.pool))),
    StoredColumn("model", .text(.field(.model))),
    StoredColumn("accelerators", .integer(.field(.accelerators))),
    StoredColumn(
      "usd_per_accelerator_hour", .money(.field(.usdPerAcceleratorHour), state: nil)),
    StoredColumn("tokens_per_second", .real(.field(.tokensPerSecond))),
    StoredColumn("time_unix_nano", .integer(.time)),
    StoredColumn("source", .text(.source)),
    StoredColumn("received_time", .time(.receivedTime)),
  ]

  private static func fields(_ names: String, isHidden: Bool = false) -> [StoredColumn] {
    names.split(whereSeparator: \.isWhitespace).compactMap { name in
      RequestField.named(String(name)).map { StoredColumn($0, isHidden: isHidden) }
    }
  }
}
