/// How a report is written.
package enum ReportFormat: String, CaseIterable, Sendable {
  /// For people, in a terminal, a chat or a repository.
  case markdown
  /// A page with charts, in one file.
  case html
  /// For scripts.
  case json

  /// What HTTP calls it.
  var contentType: String {
    switch self {
    case .markdown: "text/markdown; charset=utf-8"
    case .html: "text/html; charset=utf-8"
    case .json: "application/json"
    }
  }
}

extension Report {
  /// The whole report, ending in a line feed. The same report gives the same bytes.
  package func text(_ format: ReportFormat) -> String {
    switch format {
    case .markdown: ReportMarkdown(self).text
    case .html: ReportHTML(self).text
    case .json: ReportJSON.text(self)
    }
  }
}
