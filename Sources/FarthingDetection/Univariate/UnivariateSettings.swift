/// What the univariate detector may be told; the defaults serve every series.
///
/// Each number is a choice of scale, none is fitted to one series. docs/decisions/0023 has what was
/// measured: two thirds or half as much again of any of them moves the cross-validated score by less
/// than its spread over folds.
package struct UnivariateSettings: Sendable, Equatable, Codable {
  /// The ways in which a series is looked at; their novelties are averaged as squares.
  package var views = SeriesView.Settings.all
  /// The view by time of day; nil for none.
  package var timeOfDay: TimeOfDayView.Settings? = TimeOfDayView.Settings()
  /// Rows until a novelty counts in full; before, by the square of the share seen.
  ///
  /// In the first rows everything is new. 100 rows are eight hours of five-minute steps, and the score of
  /// row 20 is a twenty-fifth.
  package var learningRows = 100
  /// Rows for which an alarm keeps others quiet that are no stronger than what is left of it.
  ///
  /// The first row of something new tells it; what follows would repeat it. Flat between 60 and 200.
  package var refractoryRows = 150
  /// What a score is multiplied with while an alarm keeps it quiet: always below ½.
  package var quietFactor = 0.3

  package init() {}
}
