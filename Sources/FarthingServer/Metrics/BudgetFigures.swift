internal import FarthingCore
internal import FarthingPipeline

/// Budgets for Prometheus.
enum BudgetFigures {
  static func write(_ statuses: [BudgetStatus], to page: inout MetricsText) {
    page.family(
      "farthing_budget_spent_usd", .gauge,
      "Cost in the budget's period so far, in US dollars; requests without a price are not in it.")
    for status in statuses {
      page.sample(
        "farthing_budget_spent_usd", [("budget", status.budget.name)],
        Picodollars(status.spent).decimalText)
    }
    page.family("farthing_budget_limit_usd", .gauge, "Amount of the budget in US dollars.")
    for status in statuses {
      page.sample(
        "farthing_budget_limit_usd", [("budget", status.budget.name)],
        status.budget.amount.decimalText)
    }
    page.family(
      "farthing_budget_forecast_usd", .gauge,
      "Cost expected by the end of the period, with the band that holds four times out of five.")
    for status in statuses {
      guard let outlook = status.outlook else { continue }
      let bounds = [("low", outlook.low), ("expected", outlook.expected), ("high", outlook.high)]
      for (bound, amount) in bounds {
        page.sample(
          "farthing_budget_forecast_usd", [("budget", status.budget.name), ("bound", bound)],
          "\(amount)")
      }
    }
    page.family(
      "farthing_budget_unpriced_requests", .gauge,
      "Requests of the period without a price, which what is spent says nothing of.")
    for status in statuses {
      page.sample(
        "farthing_budget_unpriced_requests", [("budget", status.budget.name)],
        String(status.unpriced))
    }
  }
}
