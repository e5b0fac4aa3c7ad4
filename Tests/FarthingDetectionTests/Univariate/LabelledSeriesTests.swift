import FarthingCore
import Foundation
import Testing

@testable import FarthingDetection

/// The labelled series of one property each, where the machine has them: `data/detect/unit` of the folder named by
/// `FARTHING_SHARED`, or of `shared` beside the checkout.
private enum LabelledSeries {
  static let folder: URL? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    var candidates = [root, root.deletingLastPathComponent()].map {
      $0.deletingLastPathComponent().appending(path: "shared")
    }
    if let named = ProcessInfo.processInfo.environment["FARTHING_SHARED"] {
      candidates.insert(URL(filePath: named), at: 0)
    }
    return candidates.map { $0.appending(path: "data/detect/unit") }
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }()

  /// Times of the alarms over the dollars of a series, from a time on.
  static func alarms(_ name: String, from: String) throws -> [Int64] {
    let text = try String(
      decoding: Data(contentsOf: try #require(folder).appending(path: name)), as: UTF8.self)
    var detector = UnivariateDetector()
    var alarms: [Int64] = []
    let judged = try #require(CivilTime.parse(from))
    for line in text.split(separator: "\n").dropFirst() {
      let cells = line.split(separator: ",")
      let time = try #require(CivilTime.parse(cells[0]))
      let verdict = detector.observe(Double(cells[2]), at: time)
      if verdict.isAlarm, time >= judged { alarms.append(time) }
    }
    return alarms
  }
}

// A detector without words for money, prices or sessions: what needs these (a price's drift by requests, zero of a live site, the
// minimum at stake) is the fleet detector's. Judged from the fifth day on: three days of
// a series are too few to call its daily peak a habit.
@Suite(.enabled(if: LabelledSeries.folder != nil, "data/detect/unit is not on this machine"))
struct `Labelled series of one property` {
  @Test(arguments: [
    ("seasonal_spike.csv", "2026-01-11T22:40:00Z", "2026-01-11T22:55:00Z"),
    ("night_level_at_noon_height.csv", "2026-01-13T05:00:00Z", "2026-01-13T06:00:00Z"),
    ("nightly_batch_x4.csv", "2026-01-13T02:00:00Z", "2026-01-13T02:15:00Z"),
  ])
  func `what is labelled is found in time, and nothing before`(
    name: String, notBefore: String, notAfter: String
  ) throws {
    let alarms = try LabelledSeries.alarms(name, from: "2026-01-09T00:00:00Z")
    let first = try #require(alarms.first)
    #expect(first >= (try #require(CivilTime.parse(notBefore))))
    #expect(first <= (try #require(CivilTime.parse(notAfter))))
  }

  @Test(arguments: ["seasonal_quiet.csv", "gap_is_missing.csv", "sparse_sessions.csv"])
  func `a quiet series stays quiet`(name: String) throws {
    #expect(try LabelledSeries.alarms(name, from: "2026-01-09T00:00:00Z").isEmpty)
  }
}
