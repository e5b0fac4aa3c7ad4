package import FarthingCore
internal import FarthingStore

/// What became of the events of an ingest: the answer to `POST /v1/events` and to `farthing ingest`.
package struct IngestReceipt: Sendable, Equatable {
  /// A refused event, by its input and line.
  package struct Refusal: Sendable, Equatable {
    /// The input's name; nil where there is only one.
    package var input: String?
    package var rejection: EventRejection
  }

  /// An input that could not be read, or not to its end.
  package struct Failure: Sendable, Equatable {
    package var input: String
    /// A whole sentence: what is wrong, what was kept, what to do.
    package var message: String
  }

  /// What follows the fault in an array, or its end, and was not read.
  package struct Unread: Sendable, Equatable {
    /// The input's name; nil where there is only one.
    package var input: String?
    /// Bytes of the text, after decompression.
    package var bytes: Int
  }

  /// Events of all kinds that were stored and not known before.
  package var accepted = 0
  /// Events whose id was accepted before.
  package var duplicates = 0
  /// Events that break the contract.
  package var rejected = 0
  /// The first refusals, at most as many as the limit says; ``rejected`` counts them all.
  package var refusals: [Refusal] = []
  /// Fields that the contract does not name, and how many events had them.
  package var unknownFields: [String: Int] = [:]
  /// Events with unknown fields beyond the number of names that is kept.
  package var otherUnknownFields = 0
  package var failures: [Failure] = []
  /// Inputs whose array broke or ended before their text did.
  package var unread: [Unread] = []
  /// The end was asked for: the inputs were not read to theirs.
  package var isInterrupted = false

  package init() {}

  /// Most names of unknown fields that are kept apart.
  static let unknownFieldLimit = 100

  mutating func add(_ rejection: EventRejection, input: String?, limit: Int) {
    rejected += 1
    if refusals.count < limit { refusals.append(Refusal(input: input, rejection: rejection)) }
  }

  mutating func add(unread bytes: Int, input: String?) {
    if bytes > 0 { unread.append(Unread(input: input, bytes: bytes)) }
  }

  mutating func add(unknownFields fields: [String: Int]) {
    for (name, count) in fields {
      if unknownFields[name] != nil || unknownFields.count < Self.unknownFieldLimit {
        unknownFields[name, default: 0] += count
      } else {
        otherUnknownFields += count
      }
    }
  }
}

extension IngestReceipt {
  /// The input's bytes, decompressed as they are read; nil, and named among ``failures``, where it
  /// cannot be opened.
  mutating func open(_ input: IngestInput) -> DecompressedInput? {
    do throws(StoreError) {
      return try DecompressedInput(try input.open())
    } catch {
      failures.append(.init(input: input.name, message: error.description))
      return nil
    }
  }
}
