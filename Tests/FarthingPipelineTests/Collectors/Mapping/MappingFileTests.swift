import FarthingCore
import FarthingPipeline
import FarthingQuery
import Foundation
import Testing

@Suite struct `A mapping file` {
  private func faults(_ yaml: String) -> [String] {
    do {
      _ = try MappingFile.parse(Array(yaml.utf8), file: "m.yaml")
      return []
    } catch {
      return error.faults.map(\.description)
    }
  }

  @Test func `reports every fault with its line and what was probably meant`() {
    let found = faults(
      """
      formt: json
      absent: ["-"]
      skip_when:
        - {path: a, iss: b}
      type: reqest
      fields:
        tme: t
        input_tokens: {path: x, unit: kk}
        latency_ms: {path: y, unit: sec}
        status: {path: s, map: {2xx: okay}}
        model: {path: m, pattern: '(?<x'}
        tenant: {path: m, value: x}
        time: {path: t, time: '%Y-%m %H'}
      """)
    #expect(
      found.map { $0.prefix { $0 != ":" } }.map(String.init) == [
        "m.yaml line 1", "m.yaml line 4", "m.yaml line 5", "m.yaml line 7", "m.yaml line 8",
        "m.yaml line 9", "m.yaml line 10", "m.yaml line 11", "m.yaml line 12", "m.yaml line 13",
        "m.yaml line 13",
      ])
    #expect(found.contains("m.yaml line 1: unknown key \"formt\"; did you mean \"format\"?"))
    #expect(found.contains("m.yaml line 7: unknown field \"tme\"; did you mean \"time\"?"))
    #expect(found.contains("m.yaml line 5: unknown type \"reqest\"; did you mean \"request\"?"))
    #expect(
      found.contains("m.yaml line 12: tenant needs one of path, value, template"))
  }

  @Test func `says what is missing`() {
    #expect(
      faults("format: json") == [
        "m.yaml line 1: \"fields\" is missing: which path fills which field"
      ])
    #expect(
      faults("type: outcome\nfields: {time: t}") == [
        "m.yaml line 2: \"task\" is missing, which every outcome event needs",
        "m.yaml line 2: \"outcome\" is missing, which every outcome event needs",
      ])
    #expect(
      faults("") == [
        "m.yaml: nothing is in it; expected a mapping with \"fields\", see docs/mappings.md"
      ])
    #expect(faults("- a\n- b").count == 1)
    #expect(faults("a: [").count == 1)
    #expect(
      faults("fields: {time: {path: t, time: '%Y-%m-%d'}}") == [
        "m.yaml line 1: \"%Y-%m-%d\" has no zone: add %z, or the key zone"
      ])
  }

  @Test func `knows the groups of a pattern and the columns of a file`() {
    #expect(
      faults("format: text\npattern: '(?<time>x)'\nfields: {time: tme}") == [
        "m.yaml line 3: path \"tme\" is no group or column of this format; did you mean \"time\"?"
      ])
    #expect(faults("format: text\nfields: {time: t}").first?.contains("needs \"pattern\"") == true)
    #expect(
      faults("format: csv\ncsv: {header: false}\nfields: {time: when}").first?
        .contains("numbered from 1") == true)
  }

  @Test func `refuses a file that aliases blow up`() {
    var yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    for level in 1...8 {
      let last = "*a\(level - 1)"
      yaml +=
        "a\(level): &a\(level) [\(Array(repeating: last, count: 10).joined(separator: ","))]\n"
    }
    #expect(faults(yaml) == ["m.yaml: it has more than 20000 values; a mapping needs some dozens"])
  }

  @Test func `never ends the process, whatever bytes it is`() {
    let base = Array("format: csv\ncsv: {separator: ;}\nfields: {time: {path: a, time: '%d'}}".utf8)
    for place in base.indices {
      for byte: UInt8 in [0, 0x0A, 0x22, 0x25, 0x5B, 0x7B, 0xFF] {
        var bytes = base
        bytes[place] = byte
        _ = try? MappingFile.parse(bytes, file: "m")
      }
    }
  }

  /// Every example of the documentation, over its own log.
  @Test(arguments: [
    ("nginx-json.yaml", "nginx-json.log", 6, 1), ("nginx-text.yaml", "nginx-text.log", 6, 1),
    ("envoy.yaml", "envoy.log", 3, 0), ("usage.yaml", "usage.csv", 3, 1),
  ])
  func `of the documentation reads its example`(
    mapping: String, log: String, events: Int, skipped: Int
  ) throws {
    let folder = URL(filePath: #filePath).appending(path: "../../../../../docs/mappings")
      .standardized
    let bytes = try Array(Data(contentsOf: folder.appending(path: mapping)))
    let zone = try? Array(Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/Europe/Vienna")))
    let file = try MappingFile.parse(bytes, file: mapping) { name in
      zone.flatMap { TimeZoneRules(name: name, tzif: $0) } ?? TimeZoneRules(offset: "+01:00")
    }
    var collector = MappingCollector(file)
    let text = try Array(Data(contentsOf: folder.appending(path: log)))
    // A year after the examples were written.
    let batch = collector.decode(text, CollectionContext(now: 1_826_000_000_000_000_000))
    #expect(batch.rejections.isEmpty)
    #expect(batch.events.count == events)
    #expect(collector.report.skipped == skipped)
    #expect(collector.unseenPaths.isEmpty)
  }
}
