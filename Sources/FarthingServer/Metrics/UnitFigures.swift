/// What the stored requests of one model, or of one workload, come to, for Prometheus.
///
/// Sums over all that is stored, so they survive a restart and count nothing twice; where retention
/// drops old days or a repricing lowers costs they fall, which Prometheus takes for a restart of a
/// counter.
package struct UnitFigures: Sendable, Equatable {
  /// A metric of ours and what Prometheus calls it.
  package struct Family: Sendable {
    package var metric: String
    package var name: String
    var help: String
  }

  /// By what requests are told apart: the label's name.
  package enum Label: String, Sendable, CaseIterable {
    case model
    case workload

    /// What is told of each value.
    package var families: [Family] {
      switch self {
      case .model: UnitFigures.modelFamilies
      case .workload: UnitFigures.taskFamilies
      }
    }
  }

  package var label: Label
  /// Of the label; empty for requests without one.
  package var name: String
  /// One for each of the label's families: a number as decimal text; nil where it is not known.
  package var values: [String?]

  package init(_ label: Label, _ name: String, values: [String?]) {
    self.label = label
    self.name = name
    self.values = values
  }

  private static let taskFamilies: [Family] = [
    Family(
      metric: "tasks", name: "farthing_tasks_total",
      help: "Tasks that stored requests belong to, by workload."),
    Family(
      metric: "successful_tasks", name: "farthing_successful_tasks_total",
      help: "Of these tasks, those whose outcome is a success, by workload."),
    Family(
      metric: "cost", name: "farthing_task_cost_usd_total",
      help: "Cost of the stored requests that belong to a task, failed ones included, by workload."),
  ]

  private static let modelFamilies: [Family] = [
    Family(
      metric: "requests", name: "farthing_requests_total", help: "Stored requests, by model."),
    Family(
      metric: "cost", name: "farthing_cost_usd_total",
      help: "Cost of the stored requests by their price cards in US dollars, by model."),
    Family(
      metric: "error_cost", name: "farthing_error_cost_usd_total",
      help: "Of the cost, that of requests whose status is not ok, in US dollars, by model."),
    Family(
      metric: "unpriced_requests", name: "farthing_unpriced_requests_total",
      help: "Stored requests whose cost is unknown; they add nothing to the cost, by model."),
    Family(
      metric: "input_tokens", name: "farthing_input_tokens_total",
      help: "Input tokens of the stored requests, cached ones included, by model."),
    Family(
      metric: "cached_input_tokens", name: "farthing_cached_input_tokens_total",
      help: "Of the input tokens, those read from a prompt cache, by model."),
    Family(
      metric: "output_tokens", name: "farthing_output_tokens_total",
      help: "Output tokens of the stored requests, by model."),
  ]

  static func write(_ figures: [UnitFigures], to page: inout MetricsText) {
    for label in Label.allCases {
      let own = figures.filter { $0.label == label }
      for (place, family) in label.families.enumerated() {
        page.family(family.name, .counter, family.help)
        for figure in own where place < figure.values.count {
          guard let value = figure.values[place] else { continue }
          page.sample(family.name, [(label.rawValue, figure.name)], value)
        }
      }
    }
  }
}
