import Testing

@testable import FarthingCore

@Suite("Synthetic incidents")
struct IncidentTests {
  private static let start = CivilTime.nanoseconds(year: 2026, month: 3, day: 2)
  private static let noon = "2026-03-02T12:00Z+4h"

  private static func options(_ incident: String? = nil) throws -> SynthesisOptions {
    SynthesisOptions(
      seed: 3, start: start, duration: 28 * CivilTime.hour, requestsPerDay: 2500,
      incidents: try incident.map { [try IncidentSpecification.parse($0)] } ?? [])
  }

  /// Lines that only one of the two streams has: of the quiet day, and of the day with the incident.
  private static func difference(
    _ incident: String
  ) throws -> (quiet: [String], changed: [String]) {
    let quiet = try StreamReading.lines(try options())
    let changed = try StreamReading.lines(try options(incident))
    let quietSet = Set(quiet)
    let changedSet = Set(changed)
    return (
      quiet.filter { !changedSet.contains($0) }, changed.filter { !quietSet.contains($0) }
    )
  }

  private static func sum(_ name: String, _ lines: [String]) -> Int {
    lines.reduce(0) { $0 + StreamReading.number(name, of: $1) }
  }

  @Test(arguments: IncidentKind.allCases)
  func `an incident changes nothing before it begins`(_ kind: IncidentKind) throws {
    let noon = (Self.start + 12 * CivilTime.hour) / 1000
    let (quiet, changed) = try Self.difference("\(kind.rawValue)@2026-03-02T12:00Z+18h")
    let touched = (quiet + changed).filter { StreamReading.field("type", of: $0) == nil }
    #expect(!touched.isEmpty)
    #expect(touched.allSatisfy { StreamReading.microseconds($0) >= noon })
  }

  @Test func `an incident changes only what it is aimed at`() throws {
    let (quiet, changed) = try Self.difference("prompt_bloat@\(Self.noon),workload=doc-search")
    let requests = (quiet + changed).filter { StreamReading.field("type", of: $0) == nil }
    #expect(!requests.isEmpty)
    #expect(requests.allSatisfy { StreamReading.field("workload", of: $0) == "doc-search" })
  }

  @Test func `a prompt that bloats sends its factor in tokens`() throws {
    let (quiet, changed) = try Self.difference(
      "prompt_bloat@\(Self.noon),workload=doc-search,factor=3")
    let before = Self.sum("input_tokens", quiet)
    let after = Self.sum("input_tokens", changed)
    #expect(before > 0)
    #expect(Double(after) / Double(before) > 2.8)
    #expect(Double(after) / Double(before) < 3.2)
  }

  @Test func `a collapsed cache reads nothing`() throws {
    let (quiet, changed) = try Self.difference("cache_collapse@\(Self.noon),workload=code-agent")
    #expect(Self.sum("cached_input_tokens", quiet) > 0)
    #expect(Self.sum("cached_input_tokens", changed) == 0)
  }

  @Test func `a retry storm multiplies the attempts`() throws {
    let (quiet, changed) = try Self.difference(
      "retry_storm@\(Self.noon),workload=support-assistant,factor=5")
    let requests = changed.filter { StreamReading.field("workload", of: $0) != nil }
    let failed = requests.filter { StreamReading.field("status", of: $0) != "ok" }
    #expect(changed.count > 2 * quiet.count)
    #expect(Double(failed.count) / Double(requests.count) > 0.6)
  }

  @Test func `a stolen key is an identity that the quiet day does not know`() throws {
    let (quiet, changed) = try Self.difference(
      "new_identity_spend@\(Self.noon),tenant=tenant-002,to=stolen-key")
    let requests = changed.filter { StreamReading.field("workload", of: $0) != nil }
    #expect(quiet.isEmpty)
    #expect(!requests.isEmpty)
    #expect(requests.allSatisfy { StreamReading.field("identity", of: $0) == "stolen-key" })
    #expect(requests.allSatisfy { StreamReading.field("tenant", of: $0) == "tenant-002" })
  }

  @Test func `a runaway task is one task of many steps`() throws {
    let (quiet, changed) = try Self.difference(
      "runaway_task@\(Self.noon),workload=code-agent,factor=3")
    let tasks = Set(changed.compactMap { StreamReading.field("task", of: $0) })
    #expect(quiet.isEmpty)
    #expect(tasks.count == 1)
    #expect(changed.count > 14)
  }

  @Test func `the ground truth names kind, span, slice, magnitude and what was done`() throws {
    var synthesis = try EventSynthesis(
      try Self.options("denial_of_wallet@\(Self.noon),workload=doc-search,factor=30"))
    var bytes: [UInt8] = []
    while synthesis.next(into: &bytes) { bytes.removeAll(keepingCapacity: true) }
    let labels = String(decoding: synthesis.labelsJSON(), as: UTF8.self)
    let added = StreamReading.number("added_tasks", of: labels)
    #expect(added > 20)
    #expect(
      labels == """
        [
         {"kind":"denial_of_wallet","anomalous":true,"start":"2026-03-02T12:00:00Z",\
        "end":"2026-03-02T16:00:00Z","dimensions":{"workload":"doc-search","identity":\
        "spiffe://farthing.example/ns/tenant-002/sa/doc-search-031"},"factor":30,\
        "changed_requests":0,"added_tasks":\(added),"withheld":0}
        ]

        """)
  }

  @Test func `every event is accepted, whatever goes wrong`() throws {
    var options = try Self.options()
    options.requestsPerDay = 1500
    for kind in IncidentKind.allCases {
      let share = kind.defaultShare == nil ? "" : ",share=0.2"
      options.incidents.append(
        try IncidentSpecification.parse("\(kind.rawValue)@2026-03-02T08:00Z+16h\(share)"))
    }
    // Two of each, so that effects meet, and at the largest magnitude that is allowed.
    for kind in IncidentKind.allCases where kind.defaultFactor != nil && kind != .runawayTask {
      options.incidents.append(
        try IncidentSpecification.parse("\(kind.rawValue)@2026-03-02T10:00Z+30s,factor=10000"))
    }
    options.requestLimit = 6000
    var synthesis = try EventSynthesis(options)
    var bytes: [UInt8] = []
    while synthesis.next(into: &bytes) {}
    var decoder = EventDecoder(now: Self.start + 30 * CivilTime.day)
    let batch = decoder.decode(bytes)
    #expect(batch.rejections == [])
    #expect(batch.unknownFields.isEmpty)
    #expect(batch.events.count == synthesis.requestCount + synthesis.outcomeCount)
    #expect(synthesis.requestCount > 3000)
  }
}
