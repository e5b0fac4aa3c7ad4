internal import FarthingCore

// What will be spent, from what was spent.
//
// 1. With two weeks of history or more: the profile of a week, hour by hour. Each of its 168 hours is the mean of
//    the same hour in up to eight past weeks, a week counting 0.7 times as much as the one after it; the whole is
//    scaled by how the last seven days compare with the profile, halfway.
// 2. With less: the mean of the last whole days, at most seven; below one day, of all hours there are.
// 3. The band: the same method is applied to the history itself, from each of its days on, as far ahead as is asked
//    for or as the history reaches. The quotients of what then was spent and what had been forecast are the
//    errors to expect; their 10 % and 90 % quantiles, by rank in n + 1, make the band, which shall hold four times
//    out of five. With fewer than nine of them, least and greatest stand in. Forecasts of overlapping times err
//    alike, so the band is widened by how many there would be side by side.
//
// All in binary floating point: forecasts are estimates, nothing is booked by them.

/// A forecast of hourly spend.
package struct SpendForecast: Sendable, Equatable {
  package enum Method: String, Sendable {
    /// The same hour of the same weekday in the weeks before.
    case weekly
    /// The mean of the last days.
    case linear
    /// Nothing was spent so far, or less than an hour is known.
    case unknown
  }

  package let method: Method
  /// US dollars of each hour to come.
  package let hours: [Double]
  /// What the sum of all hours is multiplied with to get the ends of the band.
  package let lowFactor: Double
  package let highFactor: Double
  /// How many forecasts of the past the band rests on.
  package let trials: Int

  static let hoursAWeek = 168
  static let leastWeekly = 14 * 24
  private static let mostTrials = 60

  /// - Parameters:
  ///   - history: US dollars of each whole hour up to now, the oldest first.
  ///   - firstHourOfWeek: Of the oldest, 0 to 167.
  ///   - count: Hours to come.
  package init(history: [Double], firstHourOfWeek: Int, count: Int) {
    let made = Self.hours(history[...], firstHourOfWeek, count)
    method = made.method
    hours = made.hours
    guard method != .unknown, count > 0 else {
      (lowFactor, highFactor, trials) = (0, 0, 0)
      return
    }
    var errors: [Double] = []
    let step = 24
    let horizon = min(count, max(24, history.count / 2))
    var origin = history.count - horizon
    // As much history as the method wants, or else a day.
    let least = method == .weekly ? Self.leastWeekly : 24
    while origin >= least, errors.count < Self.mostTrials {
      let past = Self.hours(history[..<origin], firstHourOfWeek, horizon)
      let expected = past.hours.reduce(0, +)
      let actual = history[origin..<origin + horizon].reduce(0, +)
      if expected > 0 { errors.append(actual / expected) }
      origin -= step
    }
    trials = errors.count
    (lowFactor, highFactor) = Self.band(errors.sorted(), horizon: horizon)
  }

  private static func hours(
    _ history: ArraySlice<Double>, _ firstHourOfWeek: Int, _ count: Int
  ) -> (method: Method, hours: [Double]) {
    if history.isEmpty || !history.contains(where: { $0 > 0 }) { return (.unknown, []) }
    if history.count >= leastWeekly {
      let profile = profile(history, firstHourOfWeek)
      return (
        .weekly,
        (0..<count).map { profile[(firstHourOfWeek + history.count + $0) % hoursAWeek] }
      )
    }
    let days = min(7, history.count / 24)
    let recent = days > 0 ? history.suffix(days * 24) : history
    let mean = recent.reduce(0, +) / Double(recent.count)
    return (.linear, [Double](repeating: mean, count: count))
  }

  /// By hour of the week.
  private static func profile(_ history: ArraySlice<Double>, _ firstHourOfWeek: Int) -> [Double] {
    var sums = [Double](repeating: 0, count: hoursAWeek)
    var weights = [Double](repeating: 0, count: hoursAWeek)
    let weeks = min(8, history.count / hoursAWeek)
    for week in 0..<weeks {
      let weight = (0..<week).reduce(1.0) { weight, _ in weight * 0.7 }
      let end = history.count - week * hoursAWeek
      for place in (end - hoursAWeek)..<end {
        let slot = (firstHourOfWeek + place) % hoursAWeek
        sums[slot] += weight * history[history.startIndex + place]
        weights[slot] += weight
      }
    }
    var profile = zip(sums, weights).map { $1 > 0 ? $0 / $1 : 0 }
    let expected = profile.reduce(0, +)
    let actual = history.suffix(hoursAWeek).reduce(0, +)
    if expected > 0 {
      let level = 1 + (min(3, max(0.3, actual / expected)) - 1) / 2
      profile = profile.map { $0 * level }
    }
    return profile
  }

  /// Where nothing could be tried: an eighth to eight times as much. Measured on clients of an LLM service with a
  /// day of history, even that holds in six cases of ten.
  private static let unknownFactor = 8.0

  /// - Parameters:
  ///   - errors: ascending.
  ///   - horizon: hours that each of them is over; they begin a day apart.
  private static func band(_ errors: [Double], horizon: Int) -> (Double, Double) {
    guard let least = errors.first, let greatest = errors.last else {
      return (1 / unknownFactor, unknownFactor)
    }
    let count = errors.count
    let sideBySide = 1 + Double(count - 1) * 24 / Double(horizon)
    if count < 9 {
      let widening = 1 + 2 / sideBySide
      return (min(1, least) / widening, max(1, greatest) * widening)
    }
    let low = min(1, errors[Int((0.1 * Double(count + 1)).rounded(.down)) - 1])
    let high = max(1, errors[min(count, Int((0.9 * Double(count + 1)).rounded(.up))) - 1])
    let widening = 1 + 1 / sideBySide
    return (low > 0 ? 1 / (1 + (1 / low - 1) * widening) : 0, 1 + (high - 1) * widening)
  }

  /// The sum of the hours to come, and the ends of its band.
  package var sum: (expected: Double, low: Double, high: Double) {
    let sum = hours.reduce(0, +)
    return (sum, sum * lowFactor, sum * highFactor)
  }

  /// The hour at whose end `amount` dollars more than now have been spent; nil where that is not within the hours.
  ///
  /// - Parameter factor: 1 for the expectation, ``highFactor`` for the earliest, ``lowFactor`` for the latest.
  package func hour(reaching amount: Double, factor: Double) -> Int? {
    if amount <= 0 { return 0 }
    var sum = 0.0
    for (place, hour) in hours.enumerated() {
      sum += hour * factor
      if sum >= amount { return place + 1 }
    }
    return nil
  }
}
