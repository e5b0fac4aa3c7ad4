import Foundation
import NIOHTTP1
import Testing

@testable import FarthingServer

@Suite(.timeLimit(.minutes(2))) struct `The description of the interface` {
  private static let page = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/openapi.yaml")

  @Test func `is served, and is the page of the documentation`() async throws {
    #expect(try String(contentsOf: Self.page, encoding: .utf8) == OpenAPIDescription.yaml)
    try await withServer { server in
      let reply = try await server.call("GET", "/openapi.yaml")
      #expect(reply.headers["content-type"] == "application/yaml")
      #expect(reply.text == OpenAPIDescription.yaml)
    }
  }

  @Test func `has every call, and no other`() async throws {
    var described: Set<String> = []
    var path = ""
    for line in OpenAPIDescription.yaml.split(separator: "\n") {
      if line.hasPrefix("components:") { break }
      if line.hasPrefix("  /") { path = line.dropFirst(2).dropLast().description }
      for method in ["get", "post", "put", "delete"] where line == "    \(method):" {
        described.insert("\(method.uppercased()) \(path)")
      }
    }
    try await withServer { server in
      let routes = Set(server.server.routes.map { "\($0.method.rawValue) \($0.pattern)" })
      #expect(described == routes)
    }
  }
}
