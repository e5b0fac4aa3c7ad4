import FarthingStore
import Foundation

// What libFuzzer calls. `FARTHING_FUZZ_TARGET` names the body; see CONTRIBUTING.md.

private let target: FuzzTarget = {
  let environment = ProcessInfo.processInfo.environment
  let name = environment["FARTHING_FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    print("FARTHING_FUZZ_TARGET is one of", FuzzTarget.allCases.map(\.rawValue))
    _exit(2)
  }
  if let folder = environment["FARTHING_FUZZ_SEEDS"] {
    for (number, seed) in target.seeds.enumerated() {
      try? Data(seed).write(to: URL(filePath: folder).appending(path: "seed-\(number)"))
    }
    // Not exit: libFuzzer takes an exit for a fault.
    _exit(0)
  }
  return target
}()

/// One run of the body. The bytes are libFuzzer's for the length of the call and are copied first.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  do {
    try target.run(bytes)
  } catch {
    FileHandle.standardError.write(Data("BROKEN PROPERTY: \(error.description)\n".utf8))
    abort()
  }
  return 0
}
