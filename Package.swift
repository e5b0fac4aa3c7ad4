// swift-tools-version: 6.2
import PackageDescription

/// Every target of this package: Swift 6 rules, unsafe code marked, no warning let through.
let houseSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// The network: of SwiftNIO only what speaks HTTP/1.1 and HTTP/2 over sockets.
let network: [Target.Dependency] =
  ["NIOCore", "NIOPosix", "NIOHTTP1", "NIOTLS"].map {
    .product(name: $0, package: "swift-nio")
  } + [.product(name: "NIOHTTP2", package: "swift-nio-http2")]

/// What calls other servers: HTTP and TLS as a client.
let client: [Target.Dependency] = [
  .product(name: "AsyncHTTPClient", package: "async-http-client"),
  .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

/// A target of ours and, beside it, its tests.
func room(
  _ name: String, imports: [Target.Dependency], exclude: [String] = [],
  resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: imports, exclude: exclude, resources: resources,
    swiftSettings: houseSettings)
}

func tests(of name: String, imports: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(
    name: "\(name)Tests",
    dependencies: [.target(name: name), "FarthingTestSupport"] + imports,
    exclude: exclude,
    swiftSettings: houseSettings)
}

/// What is fuzzed: the bodies as tests that replay their corpora, or, where FARTHING_FUZZ is set, as
/// the program of the fuzzer; see `make fuzz`.
let fuzzing: Target = {
  let rooms: [Target.Dependency] = [
    "FarthingCore", "FarthingStore", "FarthingQuery", "FarthingPipeline", "FarthingTestSupport",
  ]
  if Context.environment["FARTHING_FUZZ"] == nil {
    return .testTarget(
      name: "FarthingFuzzTests", dependencies: rooms, path: "Fuzzing",
      exclude: ["Corpus", "Entry"], sources: ["Bodies", "Replay"], swiftSettings: houseSettings)
  }
  return .executableTarget(
    name: "farthing-fuzz", dependencies: rooms, path: "Fuzzing",
    exclude: ["Corpus", "Replay"], sources: ["Bodies", "Entry"],
    swiftSettings: houseSettings + [.unsafeFlags(["-parse-as-library"])])
}()

let package = Package(
  name: "farthing",
  products: [
    .executable(name: "farthing", targets: ["farthing"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
  ],
  targets: [
    .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPCRE2", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),

    room("FarthingCore", imports: []),
    room(
      "FarthingStore",
      imports: ["FarthingCore", "CSQLite", "CZstd", "CZlib", "CPCRE2", "CCrypto"]),
    room("FarthingQuery", imports: ["FarthingCore", "FarthingStore"]),
    room(
      "FarthingPipeline",
      imports: ["FarthingCore", "FarthingStore", "FarthingQuery", "FarthingDetection", yams],
      exclude: ["Prices/Catalogue"]),
    // Its own target so that its many small changes do not compile what stands on the core anew.
    room("FarthingDetection", imports: ["FarthingCore"]),
    // Frames are a function of rows, and their many golden tests need neither store nor network.
    room("FarthingDashboard", imports: ["FarthingCore"]),
    // Its own target for the weight of the network packages.
    room(
      "FarthingServer",
      imports: [
        "FarthingCore", "FarthingStore", "FarthingQuery", "FarthingPipeline", "FarthingDetection",
      ]
        + network + client),
    room(
      "FarthingApp",
      imports: [
        "FarthingCore", "FarthingStore", "FarthingQuery", "FarthingPipeline", "FarthingDetection",
        "FarthingDashboard", "FarthingServer", argumentParser, yams,
      ]),
    .executableTarget(
      name: "farthing", dependencies: ["FarthingApp"], swiftSettings: houseSettings),
    // The benchmark's process that keeps a store open: package access confines it to this package.
    .executableTarget(
      name: "farthing-query-loop",
      dependencies: [
        "FarthingApp", "FarthingCore", "FarthingPipeline", "FarthingQuery", "FarthingStore",
        "FarthingTestSupport",
      ],
      path: "Benchmarks/QueryLoop", swiftSettings: houseSettings),
    // The process that the fault tests kill while it writes a store.
    .executableTarget(
      name: "farthing-fault-writer",
      dependencies: ["FarthingCore", "FarthingStore", "FarthingTestSupport"],
      swiftSettings: houseSettings),
    room("FarthingTestSupport", imports: ["FarthingCore", "FarthingStore"]),

    tests(of: "FarthingCore", imports: []),
    tests(of: "FarthingStore", imports: ["FarthingCore"]),
    tests(of: "FarthingDashboard", imports: ["FarthingCore"]),
    tests(
      of: "FarthingDetection",
      imports: ["FarthingCore", "FarthingStore", "FarthingQuery", "FarthingPipeline"]),
    tests(
      of: "FarthingQuery", imports: ["FarthingCore", "FarthingStore"], exclude: ["Scenarios"]),
    tests(
      of: "FarthingPipeline",
      imports: ["FarthingCore", "FarthingStore", "FarthingQuery", "FarthingDetection"]),
    tests(
      of: "FarthingServer",
      imports: [
        "FarthingCore", "FarthingStore", "FarthingQuery", "FarthingPipeline", "FarthingDetection",
        "FarthingApp",
      ]
        + network + client),
    tests(
      of: "FarthingApp",
      imports: [
        "FarthingCore", "FarthingStore", "FarthingQuery", "FarthingPipeline", "FarthingDashboard",
      ],
      exclude: ["Golden"]),
    fuzzing,
  ]
)
