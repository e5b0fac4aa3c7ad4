/// Where a server listens: `HOST:PORT`, an IPv6 address in brackets.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// What a user may write, for messages.
  package static let expectation =
    "HOST:PORT such as 127.0.0.1:7878, [::1]:7878, or 0.0.0.0:7878 for all addresses; "
    + "port 0 picks a free one"

  /// A name or an address, without brackets.
  package var host: String
  /// 0 picks a free one.
  package var port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// nil for what is no such address. A name is not looked up.
  package init?(_ text: some StringProtocol) {
    let host: Substring
    let rest: Substring
    let text = Substring(text)
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      rest = text[text.index(after: end)...]
      let allowed = Set("0123456789abcdefABCDEF:.%".utf8)
      // What follows a percent sign names an interface, by any letters.
      guard host.contains(":"),
        host.prefix(while: { $0 != "%" }).utf8.allSatisfy(allowed.contains)
      else { return nil }
    } else {
      guard let colon = text.firstIndex(of: ":") else { return nil }
      host = text[..<colon]
      rest = text[colon...]
    }
    guard !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy(Self.isHostByte),
      rest.first == ":", let port = Self.port(rest.dropFirst())
    else { return nil }
    self.init(host: String(host), port: port)
  }

  /// `HOST:PORT`, as it is read.
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether only this machine reaches it. What is not surely so counts as reachable by others.
  package var isLoopback: Bool {
    if ["localhost", "::1", "0:0:0:0:0:0:0:1"].contains(host.lowercased()) { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { $0.utf8.count <= 3 && UInt8($0) != nil }
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"),
      UInt8(ascii: "%"):
      true
    default: false
    }
  }

  static func port(_ text: some StringProtocol) -> Int? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = Int(text), port <= 65_535
    else { return nil }
    return port
  }
}

/// An `http` or `https` URL cut into what every kind of URL here has.
struct WebAddress: Sendable {
  var isSecure: Bool
  /// The host, and the port that is written or the scheme's own; never 0.
  var address: ListenAddress
  /// What follows the host and port; empty, or begins with one of `/?#\`.
  var rest: String

  /// nil for another scheme, for a user name, and for a host or port that is none.
  init?(_ text: some StringProtocol) {
    let schemes = [("https://", true), ("http://", false)]
    guard
      let (scheme, isSecure) = schemes.first(where: {
        text.prefix($0.0.count).lowercased() == $0.0
      })
    else { return nil }
    let behindScheme = text.dropFirst(scheme.count)
    let authority = behindScheme.prefix { !"/?#\\".contains($0) }
    guard !authority.contains("@") else { return nil }
    let behindBracket = authority.lastIndex(of: "]") ?? authority.startIndex
    let whole =
      authority[behindBracket...].contains(":")
      ? "\(authority)" : "\(authority):\(isSecure ? 443 : 80)"
    guard let address = ListenAddress(whole), address.port > 0 else { return nil }
    self.isSecure = isSecure
    self.address = address
    rest = String(behindScheme.dropFirst(authority.count))
  }
}

/// Where a server is asked: `http://HOST[:PORT][/PATH]` or `https://…`.
package struct ServerURL: Sendable, Equatable, CustomStringConvertible {
  /// What a user may write, for messages.
  package static let expectation =
    "a URL such as http://127.0.0.1:7878 or https://farthing.example.com; a token belongs in "
    + "token_file or FARTHING_TOKEN"

  package var isSecure: Bool
  package var address: ListenAddress
  /// What comes before the calls' own paths: empty, or a slash and more, without one at its end.
  package var path: String

  /// nil for what is no such URL: another scheme, a user name, a query, characters that do not
  /// belong there.
  package init?(_ text: some StringProtocol) {
    guard let web = WebAddress(text) else { return nil }
    var path = web.rest
    while path.hasSuffix("/") { path.removeLast() }
    guard path.isEmpty || path.hasPrefix("/"),
      path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3F && $0 != 0x23 && $0 != 0x5C })
    else { return nil }
    isSecure = web.isSecure
    address = web.address
    self.path = path
  }

  /// The URL, with its port and without a slash at its end.
  package var description: String { "\(isSecure ? "https" : "http")://\(address)\(path)" }
}
