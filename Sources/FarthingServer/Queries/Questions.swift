package import FarthingCore
package import FarthingStore

/// What can be asked of the stored requests.
package enum QuestionKind: String, Sendable, CaseIterable {
  /// `GET /v1/query`
  case query
  /// `GET /v1/events`
  case events
  /// `GET /v1/explain`
  case explain
  /// `GET /v1/report`
  case report
  /// `GET /v1/budgets`
  case budgets
  /// `GET /v1/inventory`
  case inventory
  /// `POST /v1/sql`
  case sql
  /// `GET /v1/prices`
  case prices
  /// `GET /v1/prices/show`
  case price
  /// `GET /v1/prices/missing`
  case missingPrices
}

/// What a question comes with beside its parameters.
package struct QuestionContext: Sendable {
  /// The statement of `sql`, as it came.
  package var body: [UInt8]
  /// The prices in force.
  package var book: PriceBook

  package init(body: [UInt8] = [], book: PriceBook) {
    self.body = body
    self.book = book
  }
}

/// Understands questions. The composition root gives the one that the command line uses, so that both
/// say the same.
package protocol Questions: Sendable {
  /// - Throws: `badRequest` that names every fault of the parameters.
  func prepare(
    _ kind: QuestionKind, _ parameters: QueryParameters, _ context: QuestionContext
  ) throws(RequestFault) -> any PreparedQuestion
}

/// A question that was understood.
package protocol PreparedQuestion: Sendable {
  var contentType: String { get }
  /// - Throws: `unprocessable` where the limits of a query do not suffice; `failed` for damage that
  ///   cannot be left out.
  func answer(over snapshot: StoreSnapshot) throws(RequestFault) -> QuestionAnswer
}

/// What the store had to say to a question.
package struct QuestionAnswer {
  /// What the answer lacks, a sentence each.
  package var warnings: [String]
  /// Whether rows are missing that a damaged file holds.
  package var lacksRows: Bool
  /// What a reader is told beside the answer, a sentence each.
  package var notes: [String]
  /// Hands the answer over in pieces of some 64 KiB.
  package var render: (_ write: ([UInt8]) throws -> Void) throws -> Void

  package init(
    warnings: [String], lacksRows: Bool, notes: [String] = [],
    render: @escaping (_ write: ([UInt8]) throws -> Void) throws -> Void
  ) {
    self.warnings = warnings
    self.lacksRows = lacksRows
    self.notes = notes
    self.render = render
  }
}
