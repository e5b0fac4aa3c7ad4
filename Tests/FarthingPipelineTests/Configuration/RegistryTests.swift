import Testing

@testable import FarthingPipeline

@Suite("Sites and announced events")
struct RegistryTests {
  private func sites(_ text: String) throws(RegistryRefusal) -> SiteRegistry {
    try SiteRegistry.parse(Array(text.utf8), file: "s.json")
  }

  private func faults(sites text: String) -> [String] {
    do throws(RegistryRefusal) {
      _ = try sites(text)
      return []
    } catch {
      return error.faults
    }
  }

  private func faults(calendar text: String) -> [String] {
    do throws(RegistryRefusal) {
      _ = try EventCalendar.parse(Array(text.utf8), file: "c.json")
      return []
    } catch {
      return error.faults
    }
  }

  @Test func `a site has a tier, a country and a jurisdiction, each of which may be absent`() throws
  {
    let registry = try sites(
      """
      [ {"site":"ber1","tier":"edge","country":"DE","jurisdiction":"EU"},
        {"site":"dev","tier":null,"country":"","jurisdiction":"US"} ]
      """)
    #expect(
      registry["ber1"]
        == SiteRegistry.Entry(site: "ber1", tier: .edge, country: "DE", jurisdiction: "EU"))
    #expect(registry["dev"] == SiteRegistry.Entry(site: "dev", jurisdiction: "US"))
    #expect(registry["lhr1"] == nil)
    #expect(try sites("[]").entries == [])
  }

  @Test func `what is wrong with a registry is told by element`() {
    #expect(
      faults(
        sites: """
          [ {"site":"a","tier":"far"}, {"tier":"edge"}, {"site":"b","region":"x"}, 7,
            {"site":"c","site":"d"}, {"site":"e","tier":["edge"]}, {"site":"a"} ]
          """) == [
          "s.json element 3: unknown key \"region\"; expected site, tier, country, jurisdiction",
          "s.json element 4: expected an object with site, tier, country, jurisdiction",
          "s.json element 5: site is given twice; keep one",
          "s.json element 6: tier: expected one text",
          "s.json element 1: tier \"far\": expected one of edge, region, central, device",
          "s.json element 2: site: expected text of 1 to 1024 bytes without control characters",
          "s.json element 7: site \"a\" is given twice; keep one",
        ])
  }

  @Test(arguments: [
    "", " ", "{}", "null", "[", "[{]", "[{\"site\":\"a\"}] x", "[1e999]", "\u{FEFF}[]",
    String(repeating: "[", count: 100_000), "[{\"site\":\"a\u{0}\"}]",
    "[{\"site\":\"" + String(repeating: "a", count: 1025) + "\"}]", "[{\"site\":true}]",
  ])
  func `what is no registry is refused`(text: String) {
    #expect(!faults(sites: text).isEmpty)
    #expect(!faults(calendar: text).isEmpty)
  }

  @Test func `an announced event has a window, a factor and what it is about`() throws {
    let calendar = try EventCalendar.parse(
      Array(
        """
        [{"start":"2026-11-27","end":"2026-11-28T01:00:00+01:00","expected_factor":3.25,
          "reason":"Black Friday","workload":"shop","site":"ber1"},
         {"start":"2026-01-01T00:00:00Z","end":"2026-01-02","expected_factor":"0"}]
        """.utf8), file: "c.json")
    let day: Int64 = 86_400_000_000_000
    let friday: Int64 = 1_795_737_600_000_000_000
    #expect(calendar.entries.map(\.start) == [1_767_225_600_000_000_000, friday])
    #expect(calendar.entries[0].expectedMillionths == 0)
    #expect(
      calendar.entries[1]
        == EventCalendar.Entry(
          start: friday, end: friday + day, expectedMillionths: 3_250_000, reason: "Black Friday",
          dimensions: ["workload": "shop", "site": "ber1"]))
  }

  @Test func `what is wrong with an announced event is told`() {
    let told = faults(
      calendar: """
        [{"start":"2026-11-27","end":"2026-11-27","expected_factor":1},
         {"start":"x","expected_factor":-1},
         {"start":"2026-11-27","end":"2026-11-28","expected_factor":1.2345678}]
        """)
    let time = "expected an RFC 3339 time such as 2026-11-27T00:00:00Z, or a date"
    let factor = "expected a decimal number from 0 to 1000 with at most six decimals, such as 2.5"
    #expect(
      told == [
        "c.json element 1: end is not after start", "c.json element 2: start \"x\": \(time)",
        "c.json element 2: end \"\": \(time)",
        "c.json element 2: expected_factor \"-1\": \(factor)",
        "c.json element 3: expected_factor \"1.2345678\": \(factor)",
      ])
  }
}
