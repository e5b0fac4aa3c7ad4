import Testing

@testable import FarthingCore

@Suite("The text form of an incident")
struct IncidentSpecificationTests {
  @Test func `everything that an incident can say is read`() throws {
    let read = try IncidentSpecification.parse(
      "prompt_bloat@2026-03-09T10:00Z+1d12h,workload=doc-search,site=fra1,factor=2.5,ramp=6h")
    let start = CivilTime.nanoseconds(year: 2026, month: 3, day: 9) + 10 * CivilTime.hour
    #expect(
      read
        == IncidentSpecification(
          kind: .promptBloat, start: start, end: start + 36 * CivilTime.hour, magnitude: 2.5,
          ramp: 6 * CivilTime.hour, targets: ["workload": "doc-search", "site": "fra1"]))
  }

  @Test func `the start may carry an offset or be a date`() throws {
    let offset = try IncidentSpecification.parse("spend_drop@2026-03-09T10:00+02:00+4h,share=0.25")
    let date = try IncidentSpecification.parse("spend_drop@2026-03-09+8h,share=0.25")
    #expect(offset.start == date.start + 8 * CivilTime.hour)
    #expect(offset.end - offset.start == 4 * CivilTime.hour)
    #expect(offset.magnitude == 0.25)
  }

  @Test(arguments: [
    ("retry_storm", "expected KIND@START+DURATION, e.g. retry_storm@2026-03-09T10:00Z+4h"),
    ("retry_strom@2026-03-09+4h", "unknown kind \"retry_strom\"; did you mean retry_storm?"),
    (
      "retry_storm@2026-03-09",
      "expected START+DURATION after the kind, e.g. 2026-03-09T10:00Z+4h"
    ),
    (
      "retry_storm@2026-02-30+4h",
      "start \"2026-02-30\" is not a time; write 2026-03-09 or 2026-03-09T10:00Z"
    ),
    (
      "retry_storm@2026-03-09+4",
      "duration \"4\" is not a length of time; write 90m, 4h or 2d"
    ),
    (
      "retry_storm@2026-03-09+4h,factor=1",
      "factor \"1\" is not a number above 1 and up to 10000"
    ),
    ("retry_storm@2026-03-09+4h,share=1", "retry_storm takes a factor, not a share"),
    ("error_surge@2026-03-09+4h,factor=2", "error_surge takes a share, not a factor"),
    (
      "error_surge@2026-03-09+4h,share=1.5",
      "share \"1.5\" is not a number above 0 and up to 1"
    ),
    ("retry_storm@2026-03-09+4h,worklod=x", "unknown key \"worklod\"; did you mean workload?"),
    ("retry_storm@2026-03-09+4h,workload", "\"workload\" is not KEY=VALUE"),
    ("retry_storm@2026-03-09+4h,site=a,site=b", "site is given twice"),
    ("retry_storm@2026-03-09+4h,to=x", "retry_storm brings nothing new in; leave \"to\" out"),
    (
      "retry_storm@2026-03-09+4h,tenant=a\"b",
      "tenant \"a\"b\" is not a name of visible ASCII without quotes, at most 256"
    ),
  ])
  func `what is wrong is said with its remedy`(_ text: String, _ words: String) {
    #expect(throws: SynthesisError(message: "incident \"\(text)\": \(words)")) {
      try IncidentSpecification.parse(text)
    }
  }

  @Test func `a target that the fleet does not have is refused when the fleet is known`() throws {
    let options = SynthesisOptions(
      incidents: [
        try IncidentSpecification.parse("retry_storm@2026-03-09+4h,workload=doc-serch"),
        try IncidentSpecification.parse("spend_spike@2026-03-09+4h,site=fra1"),
      ])
    #expect(
      throws: SynthesisError(
        message: "incident retry_storm at 2026-03-09T00:00:00Z: unknown workload \"doc-serch\"; "
          + "did you mean doc-search?; incident spend_spike at 2026-03-09T00:00:00Z: "
          + "site is no target of it; aim at a workload, tenant or identity")
    ) { _ = try EventSynthesis(options) }
  }
}
