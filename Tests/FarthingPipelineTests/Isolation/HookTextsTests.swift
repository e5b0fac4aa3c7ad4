import FarthingCore
import FarthingStore
import Testing
import Yams

@testable import FarthingPipeline

@Suite("What hooks say to the outside")
struct HookTextsTests {
  // MARK: Evidence

  @Test func `no secret is in evidence, whole, twice, inside another or cut off at the end`() {
    let secrets = ["sk-master", "sk-master-two", "abc"]
    let said = "Bearer sk-master-two and sk-master, sk-master; abc"
    #expect(
      HookEvidence.text(said, hidden: secrets)
        == "Bearer (withheld) and (withheld), (withheld); abc")
    for length in 4..<9 {
      let cut = "wrong: " + "sk-master".prefix(length)
      #expect(HookEvidence.text(cut, hidden: secrets, isCut: true) == "wrong: (withheld)")
    }
    #expect(HookEvidence.text("a\u{1B}[2J\nb", hidden: []) == "a [2J b")
    #expect(HookEvidence.text(String(repeating: "é", count: 9000), hidden: []).count == 240)
  }

  @Test func `a status that may pass is tried again, others are not`() {
    for status in [408, 425, 429, 500, 502, 503, 599] {
      #expect(HookAnswer.failure(status: status, evidence: "") == .unreachable(evidence: ""))
    }
    for status in [100, 301, 307, 400, 401, 403, 404, 410, 422] {
      #expect(HookAnswer.failure(status: status, evidence: "") == .refused(evidence: ""))
    }
  }

  // MARK: JSON

  @Test func `an order as JSON says all of it, and hostile values stay values`() throws {
    for value in Orders.hostile {
      let order = Orders.order(
        identity: value, tenant: value, action: .degrade(model: value), reason: value)
      let root = try JSONTree(OrderJSON.body(order)).root
      #expect(root["type"]?.text == "isolation.apply")
      let part = try #require(root["data"])
      #expect(part.keys.count == 11)
      #expect(part["target"]?["identity"]?.text == value)
      #expect(part["tenant"]?.text == value)
      #expect(part["model"]?.text == value)
      #expect(part["reason"]?.text == value)
      #expect(part["release_at"]?.text == "2026-11-18T11:06:40Z")
    }
    #expect(
      OrderJSON.body(Orders.order()) == OrderJSON.body(Orders.order()), "each attempt is the same")
    let throttled = try JSONTree(OrderJSON.body(Orders.order(action: .throttle(callsPerMinute: 6))))
    #expect(throttled.root["data"]?["calls_per_minute"]?.integer == 6)
  }

  @Test func `a probe's answer says whether the target is cut off, or nothing`() {
    #expect(OrderJSON.isInForce(Array("{\"in_force\":true}".utf8)) == true)
    #expect(OrderJSON.isInForce(Array("{\"in_force\":false,\"x\":1}".utf8)) == false)
    for text in [
      "", "{}", "true", "{\"in_force\":\"true\"}", "{\"in_force\":1}", "{", "[]", "\u{0}",
    ] {
      #expect(OrderJSON.isInForce(Array(text.utf8)) == nil, "\(text)")
    }
  }

  // MARK: Commands

  @Test func `a command's words hold the values, each in its place`() throws {
    let words = try OrderTemplate.words(
      ["/bin/gate", "{{verb}}", "--who={{identity}}", "{{tenant}}/{{value}}", "{{release_at}}"],
      Orders.order(identity: "a b;c", tenant: "acme"))
    #expect(
      words == ["/bin/gate", "apply", "--who=a b;c", "acme/a b;c", "2026-11-18T11:06:40Z"])
    #expect(OrderTemplate.unknownNames(in: "{{identity}}{{whom}}") == ["whom"])
  }

  @Test func `a value is handed over as it is, or the order is refused`() {
    for value in Orders.hostile {
      let order = Orders.order(identity: value, reason: value)
      for template in ["{{identity}}", "--who={{identity}}", "x{{value}}{{reason}}"] {
        do throws(HookObjection) {
          let words = try OrderTemplate.words(["/bin/gate", template], order)
          #expect(words.count == 2)
          #expect(words[1].contains(value), "another value: \(words)")
          #expect(template != "{{identity}}" || !words[1].hasPrefix("-"))
        } catch {
          let isPlain = Payloads.oneLine(value, 2000) == value
          #expect(!isPlain || (template == "{{identity}}" && value.hasPrefix("-")), "\(value)")
        }
      }
    }
  }

  // MARK: LiteLLM

  @Test func `an identity is a key's hash, a key, or an alias`() {
    let hash = SHA256Digest(hashing: Array("sk-1234".utf8).span).hexadecimal
    #expect(LiteLLMKeys.name(of: "sk-1234") == .hash(hash))
    #expect(LiteLLMKeys.name(of: hash.uppercased()) == .hash(hash))
    #expect(LiteLLMKeys.name(of: "svc-search") == .alias("svc-search"))
    #expect(LiteLLMKeys.name(of: String(hash.dropLast())) == .alias(String(hash.dropLast())))
  }

  @Test func `an alias cannot leave its place in the query`() {
    for value in Orders.hostile {
      let query = LiteLLMKeys.lookUp(value).query
      #expect(query.hasPrefix("return_full_object=true&size=100&key_alias="))
      let rest = query.dropFirst(44)
      #expect(
        rest.utf8.allSatisfy { byte in
          byte == 0x25 || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
            || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte)
        })
    }
  }

  @Test func `one key with exactly this alias is found, or none`() throws {
    let (one, two) = (String(repeating: "a", count: 64), String(repeating: "b", count: 64))
    func find(_ keys: String, tenant: String? = nil, pages: Int = 1) throws(HookObjection) -> String
    {
      try LiteLLMKeys.hash(
        in: Array("{\"keys\":[\(keys)],\"total_pages\":\(pages)}".utf8),
        of: IsolationTarget(dimension: .identity, value: "svc", tenant: tenant))
    }
    let mine = "{\"token\":\"\(one)\",\"key_alias\":\"svc\",\"team_id\":\"t\"}"
    let similar = "{\"token\":\"\(two)\",\"key_alias\":\"svc-2\",\"team_id\":null}"
    #expect(try find("\(similar),\(mine)") == one)
    #expect(try find(mine, tenant: "acme") == one)
    for keys in [
      "", similar, "\(mine),\(mine)", "\"\(one)\"", "{\"key_alias\":\"svc\",\"token\":\"x\"}",
    ] {
      #expect(throws: HookObjection.self) { try find(keys) }
    }
    // Nobody says whose it is, and one tenant alone is meant.
    let shared = "{\"token\":\"\(one)\",\"key_alias\":\"svc\",\"team_id\":null}"
    #expect(try find(shared) == one)
    #expect(throws: HookObjection.self) { try find(shared, tenant: "acme") }
    #expect(throws: HookObjection("more keys than one page holds have such an alias")) {
      try find(similar, pages: 2)
    }
    for answer in ["", "[]", "null", "{\"keys\":{}}", "{\"keys\":[", "\u{0}"] {
      #expect(throws: HookObjection.self) {
        try LiteLLMKeys.hash(in: Array(answer.utf8), of: Orders.order().target)
      }
    }
  }

  @Test func `a key's state is read, and never guessed`() {
    #expect(LiteLLMKeys.isBlocked(Array("{\"info\":{\"blocked\":true}}".utf8)) == true)
    #expect(LiteLLMKeys.isBlocked(Array("{\"info\":{\"blocked\":null}}".utf8)) == false)
    for text in ["", "{}", "{\"info\":null}", "{\"info\":[]}", "{\"detail\":\"no\"}"] {
      #expect(LiteLLMKeys.isBlocked(Array(text.utf8)) == nil, "\(text)")
    }
  }

  // MARK: HAProxy

  static let maps = [
    "identity": "/etc/haproxy/isolated.map", "identity_degrade": "/etc/haproxy/degraded.map",
    "endpoint_server": "models",
  ]

  @Test func `a target becomes an entry of its map, or a server`() throws {
    func place(_ order: IsolationOrder) throws(HookObjection) -> RuntimeCommands.Place {
      try RuntimeCommands.place(of: order, maps: Self.maps)
    }
    #expect(
      try place(Orders.order())
        == .entry(map: "/etc/haproxy/isolated.map", key: "svc-search", value: "isolate"))
    #expect(
      try place(Orders.order(tenant: "acme"))
        == .entry(map: "/etc/haproxy/isolated.map", key: "acme|svc-search", value: "isolate"))
    #expect(
      try place(Orders.order(action: .degrade(model: "gpt-4o-mini")))
        == .entry(map: "/etc/haproxy/degraded.map", key: "svc-search", value: "gpt-4o-mini"))
    #expect(
      try place(Orders.order(IsolationTarget(dimension: .endpoint, value: "gpu-3")))
        == .server(backend: "models", name: "gpu-3"))
    #expect(throws: HookObjection("no map is configured for throttle on identity")) {
      try place(Orders.order(action: .throttle(callsPerMinute: 5)))
    }
    #expect(throws: HookObjection("no map is configured for isolate on site")) {
      try place(Orders.order(IsolationTarget(dimension: .site, value: "sin1")))
    }
  }

  @Test func `what means something to HAProxy is refused wherever it stands`() {
    let harmless = Set([
      "--flag", "-f", "../../etc/passwd", "a/b", "$(id)", "`id`", "${HOME}", "{{tenant}}", "%0d%0a",
      "a&size=1000&key_alias=b", "a#b", "a?b", "é", "*", "&a", "[a]", "\u{202E}abc", "a\u{2028}b",
      "\u{FEFF}a", "null", "~", "true", "1e3", "a,b=c",
    ])
    for value in Orders.hostile {
      var orders = [
        Orders.order(identity: value), Orders.order(tenant: value),
        Orders.order(action: .degrade(model: value)),
      ]
      if !value.contains("/") {
        orders.append(Orders.order(IsolationTarget(dimension: .endpoint, value: value)))
      }
      for (number, order) in orders.enumerated() {
        do throws(HookObjection) {
          let place = try RuntimeCommands.place(of: order, maps: Self.maps)
          let isBar = value.contains("|")
          #expect(harmless.contains(value) || (isBar && number > 1), "\(value)")
          guard case .entry(let map, let key, let word) = place else { continue }
          let line = RuntimeCommands.add(map, key, word)
          #expect(line.split(separator: " ", omittingEmptySubsequences: false).count == 5)
        } catch {
          #expect(!harmless.contains(value), "\(value): \(error.reason)")
        }
      }
    }
  }

  @Test func `an entry of one tenant is not another identity's of all`() {
    #expect(throws: HookObjection.self) {
      try RuntimeCommands.place(of: Orders.order(identity: "acme|svc"), maps: Self.maps)
    }
  }

  @Test func `HAProxy's answers are read, and never guessed`() {
    #expect(RuntimeCommands.saysNotFound("entry not found."))
    #expect(RuntimeCommands.saysNotFound("Key not found."))
    let found =
      "type=str, case=sensitive, found=yes, idx=tree, key=\"a\", value=\"isolate\", type=\"str\""
    #expect(RuntimeCommands.holds(found, "a", "isolate") == true)
    #expect(RuntimeCommands.holds(found, "a", "degrade") == false)
    #expect(RuntimeCommands.holds("type=str, case=sensitive, found=no", "a", "isolate") == false)
    #expect(RuntimeCommands.holds("Unknown map identifier.", "a", "isolate") == nil)
    let list = """
      1
      # be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
      3 b 1 m1 127.0.0.1 0 1 1
      3 b 2 m2 127.0.0.1 2 0 1
      3 b 3 m3 127.0.0.1 0 0 1
      3 b
      """
    #expect(RuntimeCommands.takesCalls(list) == ["m1": false, "m2": true, "m3": false])
    #expect(RuntimeCommands.takesCalls("Can't find backend.") == nil)
  }

  // MARK: Kubernetes

  @Test(arguments: NetworkPolicyText.Kind.allCases)
  func `a policy selects the target's pods and lets nothing through`(
    kind: NetworkPolicyText.Kind
  ) throws {
    let text = try NetworkPolicyText(
      Orders.order(tenant: "acme", reason: "burns: \"40\" \\ # $\n- é"), kind: kind,
      namespace: "models", labels: ["identity": "example.com/identity", "tenant": "tenant"])
    let root = try #require(try Yams.compose(yaml: text.yaml))
    let meta = root["metadata"]
    #expect(meta?["namespace"]?.string == "models")
    #expect(meta?["annotations"]?["farthing/reason"]?.string == "burns: \"40\" \\ # $ - é")
    let selector = root["spec"]?[kind == .network ? "podSelector" : "endpointSelector"]
    let labels = selector?["matchLabels"]?.mapping
    #expect(labels?.count == 2)
    #expect(labels?["example.com/identity"]?.string == "svc-search")
    #expect(labels?["tenant"]?.string == "acme")
    switch kind {
    case .network:
      #expect(root["spec"]?["policyTypes"]?.array().map(\.string) == ["Ingress", "Egress"])
      #expect(root["spec"]?["ingress"]?.sequence?.isEmpty == true)
    case .cilium:
      #expect(root["spec"]?["egressDeny"]?[0]?["toEntities"]?[0]?.string == "all")
    }
  }

  @Test func `no hostile value becomes a policy, and no reason leaves its place`() throws {
    let labels = ["identity": "identity", "tenant": "tenant"]
    let harmless = Set(["null", "true", "1e3"])
    for value in Orders.hostile {
      for order in [Orders.order(identity: value), Orders.order(tenant: value)] {
        do throws(HookObjection) {
          let text = try NetworkPolicyText(
            order, kind: .network, namespace: "models", labels: labels)
          #expect(harmless.contains(value))
          let chosen = try? Yams.compose(yaml: text.yaml)?["spec"]?["podSelector"]?["matchLabels"]
          #expect(chosen?[order.target.tenant == nil ? "identity" : "tenant"]?.string == value)
        } catch {
          #expect(!harmless.contains(value), "\(value)")
        }
      }
      let text = try NetworkPolicyText(
        Orders.order(reason: value), kind: .cilium, namespace: "models", labels: labels)
      let root = try #require(try Yams.compose(yaml: text.yaml))
      #expect(root.mapping?.count == 4)
      #expect(
        root["metadata"]?["annotations"]?["farthing/reason"]?.string
          == Payloads.oneLine(value, 1000))
    }
  }

  @Test func `a policy has one name for a target, and needs a label for all that is meant`() throws
  {
    func text(_ order: IsolationOrder) throws(HookObjection) -> NetworkPolicyText {
      try NetworkPolicyText(
        order, kind: .network, namespace: "models", labels: ["identity": "identity"])
    }
    #expect(try text(Orders.order()).name == (try text(Orders.order(.release)).name))
    #expect(try text(Orders.order()).name != (try text(Orders.order(identity: "other")).name))
    #expect(throws: HookObjection("no label is configured for tenant")) {
      try text(Orders.order(tenant: "acme"))
    }
    for namespace in ["", "Models", "-a", "a b", "a/b", String(repeating: "a", count: 64)] {
      #expect(throws: HookObjection.self) {
        try NetworkPolicyText(
          Orders.order(), kind: .network, namespace: namespace, labels: ["identity": "identity"])
      }
    }
  }
}
