import FarthingPipeline
import FarthingTestSupport
import Testing

@testable import FarthingServer

@Suite(.timeLimit(.minutes(2))) struct `Price lists over HTTP` {
  private static let list =
    "{\"own-model\":{\"litellm_provider\":\"openai\",\"mode\":\"chat\",\"input_cost_per_token\":2e-06,"
    + "\"output_cost_per_token\":1e-06}}"

  private func cost(_ server: TestServer) async throws -> String {
    try await server.call("GET", "/v1/query?metrics=cost,unpriced_requests&output=csv").text
  }

  @Test func `hold for what arrives from then on, compressed or not`() async throws {
    try await withServer { server in
      #expect(try await server.post(event("a", model: "own-model")).status == 200)
      let checked = try await server.call(
        "POST", "/v1/prices?check=true", Array(Self.list.utf8))
      #expect(
        checked.text
          == "{\"name\":\"posted\",\"format\":\"litellm\",\"cards\":1,\"imported\":false,\"warnings\":[]}\n"
      )
      #expect(try await server.post(event("b", model: "own-model")).status == 200)
      #expect(try await cost(server) == "cost,unpriced_requests\n0,2\n")
      let told = try await server.call(
        "POST", "/v1/prices?name=own%20list&format=litellm", Compressed.gzip(Array(Self.list.utf8)),
        headers: ["Content-Encoding: gzip"])
      #expect(told.status == 200)
      #expect(told.text.contains("\"name\":\"own list\""))
      #expect(told.text.contains("\"imported\":true"))
      #expect(try await server.post(event("c", model: "own-model")).status == 200)
      #expect(try await cost(server) == "cost,unpriced_requests\n0.00201,2\n")
      let shown = try await server.call("GET", "/v1/prices/show?model=own-model&output=csv")
      #expect(shown.text.contains("input,,2,1M tokens,,,own list\n"))
      #expect(shown.headers["farthing-note"]?.contains("own list") == true)
    }
  }

  @Test func `are refused with every fault, and nothing is stored`() async throws {
    try await withServer { server in
      for (target, body, words) in [
        ("/v1/prices", "- {", "line"), ("/v1/prices?format=litelm", Self.list, "did you mean"),
        ("/v1/prices?from=soon", Self.list, "from: \"soon\" is not"),
        ("/v1/prices?nam=x", Self.list, "did you mean \\\"name\\\"?"),
        ("/v1/prices?check=perhaps", Self.list, "neither true nor false"),
        ("/v1/prices?name=", Self.list, "name: expected"),
      ] {
        let reply = try await server.call("POST", target, Array(body.utf8))
        #expect(reply.status == 400, "\(target): \(reply.text)")
        #expect(
          reply.text.contains(words) || reply.text.contains(words.replacing("\"", with: "\\\"")),
          "\(target): \(reply.text)")
      }
      let lists = try await server.call("GET", "/v1/prices?output=csv")
      #expect(!lists.text.contains("posted"))
      #expect(try await server.call("GET", "/v1/prices/show").status == 400)
      #expect(try await server.call("GET", "/v1/prices/show?model=none").status == 422)
    }
  }

  @Test func `need the scope to act`() async throws {
    let policy = AccessPolicy(tokens: [
      AccessToken(
        name: "reader", digest: TokenText.digest(of: "reader-0123456789abcdef"),
        scopes: AccessScopes([.read, .ingest]), allowance: AccessAllowance())
    ])
    try await withServer(policy: policy) { server in
      let bearer = ["Authorization: Bearer reader-0123456789abcdef"]
      let told = try await server.call(
        "POST", "/v1/prices", Array(Self.list.utf8), headers: bearer)
      #expect(told.status == 403)
      #expect(try await server.call("GET", "/v1/prices", headers: bearer).status == 200)
      let sql = try await server.call(
        "POST", "/v1/sql", Array("SELECT 1 AS one".utf8), headers: bearer)
      #expect(sql.text == "[\n{\"one\":1}\n]\n")
      #expect(try await server.call("POST", "/v1/sql", Array("SELECT 1".utf8)).status == 401)
    }
  }
}
