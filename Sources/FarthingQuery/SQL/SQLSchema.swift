package import FarthingStore

/// What a statement of SQL may name: tables with their columns, and the functions of ours.
///
/// Messages, `farthing help sql` and tests read it; it is made from the tables themselves.
package enum SQLSchema {
  package struct Table: Sendable {
    package let name: String
    /// What a row is.
    package let summary: String
    package let columns: [SQLColumn]
  }

  package struct Function: Sendable {
    package let form: String
    package let summary: String
  }

  package static let tables: [Table] = [
    Table(
      name: "requests", summary: "the stored requests",
      columns: (StoredColumn.requests + StoredColumn.hiddenRequests).map(\.column)),
    Table(
      name: "tasks", summary: "each task that a request or an outcome event names",
      columns: TasksTable(requests: [], outcomes: [], check: { _ in }).columns),
    Table(
      name: "outcomes", summary: "the outcome events", columns: StoredColumn.outcomes.map(\.column)),
    Table(
      name: "capacity", summary: "the capacity events",
      columns: StoredColumn.capacity.map(\.column)),
    Table(
      name: "segments", summary: "the files of the store", columns: ListTable.segments([]).columns),
    Table(
      name: "prices", summary: "each part of each price that a stored request was charged by",
      columns: ListTable.prices([]).columns),
  ]

  package static let functions: [Function] = [
    Function(
      form: "sum_usd(cost)", summary: "exact sum of decimal dollars; NULL over no value"),
    Function(
      form: "exact_sum(cost_picodollars)", summary: "sum of integers in 128 bits"),
    Function(form: "usd(picodollars)", summary: "picodollars as decimal dollars"),
    Function(form: "picodollars(usd)", summary: "decimal dollars as picodollars"),
    Function(
      form: "percentile(latency_ms, 95)", summary: "quantile within 1 %, as of farthing query"),
    Function(
      form: "time_bucket('1h', time)", summary: "where the bucket of a time begins, in UTC"),
  ]
}
