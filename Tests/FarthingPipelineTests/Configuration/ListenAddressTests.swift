import Testing

@testable import FarthingPipeline

@Suite("Addresses to listen at and to ask")
struct ListenAddressTests {
  @Test(arguments: [
    ("127.0.0.1:7878", true), ("127.255.0.1:0", true), ("localhost:80", true),
    ("LOCALHOST:80", true), ("[::1]:7878", true), ("0.0.0.0:7878", false), ("[::]:7878", false),
    ("127.1:7878", false), ("127.0.0.256:1", false), ("127.0.0.1.example.com:1", false),
    ("farthing.example.com:65535", false), ("[fe80::1%eth0]:1", false), ("10.0.0.1:7878", false),
  ])
  func `an address is read and written alike, and known as loopback`(text: String, loopback: Bool)
    throws
  {
    let address = try #require(ListenAddress(text))
    #expect(address.description == text)
    #expect(address.isLoopback == loopback)
  }

  @Test(arguments: [
    "", ":", ":7878", "7878", "localhost", "localhost:", "localhost:x", "localhost:65536",
    "localhost:-1", "localhost:+1", "localhost:000001", "::1:7878", "[::1]", "[::1]7878", "[]:1",
    "[localhost]:1", "http://localhost:1", "a b:1", "localhost:1 ", "local\u{0}host:1", "ü:1",
    "[::1:7878", "localhost:１",
  ])
  func `what is no address is refused`(text: String) {
    #expect(ListenAddress(text) == nil)
  }

  @Test(arguments: [
    ("http://127.0.0.1:7878", "http://127.0.0.1:7878"),
    ("https://farthing.example.com", "https://farthing.example.com:443"),
    ("HTTP://localhost/", "http://localhost:80"),
    ("https://proxy:8443/farthing//", "https://proxy:8443/farthing"),
    ("http://[::1]", "http://[::1]:80"), ("http://[::1]:7878/x", "http://[::1]:7878/x"),
  ])
  func `a server's URL is read with its port and path`(text: String, written: String) throws {
    let url = try #require(ServerURL(text))
    #expect(url.description == written)
    #expect(ServerURL(url.description) == url)
  }

  @Test(arguments: [
    "", "localhost:7878", "ftp://localhost", "http://", "http:///x", "http://user:pass@host",
    "http://host:0", "http://host?x=1", "http://host/a?b", "http://host/#x", "http://host/a b",
    "http://host:99999", "http://host/\u{7F}",
  ])
  func `what is no server's URL is refused`(text: String) {
    #expect(ServerURL(text) == nil)
  }
}
