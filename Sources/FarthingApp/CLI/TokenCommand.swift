package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing token`: secrets that callers of a server prove themselves by.
package struct TokenCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Make tokens for a server's callers, and the digests that its configuration holds.",
    discussion: """
      The configuration holds a digest of each token and never the token. Where a token is lost, make \
      another; where it was seen by others, remove its element and send the server SIGHUP.
      """,
    subcommands: [TokenCreate.self, TokenHash.self])

  package init() {}
}

/// `farthing token create`.
package struct TokenCreate: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Print a new token, once, and its element for access.tokens of the configuration.",
    discussion: """
      farthing token create checkout --scopes ingest
      farthing token create prometheus --scopes read --output json
      """)

  @Argument(help: "What metrics and logs call its holder.")
  package var name: String
  @Option(
    help: ArgumentHelp(
      "What it may do: ingest, read, act, in a list with commas.", valueName: "scope,…"))
  package var scopes = "ingest"
  @Option(
    help: ArgumentHelp("A date or RFC 3339 time from which it admits nothing.", valueName: "time"))
  package var expires: String?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() throws {
    try output.expectNoChart()
    guard TokenSettings.name(name) != nil else {
      throw CommandFailure.usage(
        "name \(name.shownValue): expected 1 to 64 letters, digits, dots, dashes and underscores")
    }
    let scopes = try Self.scopes(scopes)
    if let expires, CivilTime.parse(expires) == nil {
      throw CommandFailure.usage(
        "--expires \(expires.shownValue): expected a date or an RFC 3339 time, such as 2027-01-31")
    }
    var random = SystemRandomNumberGenerator()
    let token = TokenText.make(using: &random)
    let hash = "sha256:" + TokenText.digest(of: token).hexadecimal
    guard output.output == .table else {
      try output.write(
        Answer(
          columns: [
            .init("name"), .init("token"), .init("hash"), .init("scopes"), .init("expires"),
          ],
          rows: [
            [
              .text(name), .text(token), .text(hash), .text(scopes.text),
              expires.map { .text($0) } ?? .null,
            ]
          ]))
      return
    }
    var lines = [
      token, "", "access:", "  tokens:", "    - name: \(name)", "      hash: \(hash)",
      "      scopes: [\(scopes.text)]",
    ]
    if let expires { lines.append("      expires: \(expires)") }
    for line in lines { try Console.result(line) }
    Console.note(
      "farthing: the token on the first line is shown this once; the configuration needs the rest")
  }

  static func scopes(_ text: String) throws(CommandFailure) -> AccessScopes {
    let names = AccessScope.allCases.map(\.rawValue)
    var scopes: [AccessScope] = []
    for word in text.split(separator: ",").map({ String($0.filter { $0 != " " }) }) {
      guard let scope = AccessScope(rawValue: word) else {
        let near = Suggestion.nearest(to: word, among: names).map { "; did you mean \($0)?" } ?? ""
        throw .usage(
          "--scopes \(word.shownValue): expected one of \(names.joined(separator: ", "))\(near)")
      }
      scopes.append(scope)
    }
    guard !scopes.isEmpty else {
      throw .usage("--scopes: expected at least one of \(names.joined(separator: ", "))")
    }
    return AccessScopes(scopes)
  }
}

/// `farthing token hash`.
package struct TokenHash: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "hash",
    abstract: "Print the digest of a token that stands on standard input.",
    discussion: """
      farthing token hash < token.txt

      A newline behind the token does not count. It has to be one that nobody can guess: at least \
      \(TokenText.leastLength) characters out of a generator of secrets.
      """)

  package init() {}

  package mutating func run() throws {
    if HostProcess.isTerminal(.input) {
      Console.note("farthing: type or paste the token, then Return and Ctrl-D")
    }
    let token = try SecretText.token(
      of: try WholeInput.bytes(of: "-", limit: SecretText.limit), place: "standard input")
    guard token.utf8.count >= TokenText.leastLength else {
      throw CommandFailure.usage(
        "the token on standard input has \(token.utf8.count) characters, and could be guessed; "
          + "expected at least \(TokenText.leastLength), or use farthing token create")
    }
    try Console.result("sha256:" + TokenText.digest(of: token).hexadecimal)
  }
}
