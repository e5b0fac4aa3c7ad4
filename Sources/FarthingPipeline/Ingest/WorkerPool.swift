internal import FarthingCore
internal import Synchronization

/// A piece after decoding and pricing. Lines count from 1 within the piece.
struct DecodedPiece: Sendable {
  var batch: ChargedBatch
  var blankLinesAtEnd = 0
  /// Broken JSON ended an array here: what follows in the input is not read.
  var isBrokenOff = false
}

/// Decoders and pricers, one pair for each piece that is being worked on.
///
/// Both keep what they learned (buffers, resolved prices) from piece to piece, so pairs are handed
/// back and used again; there are never more than pieces in flight.
final class WorkerPool: Sendable {
  private struct Worker {
    var decoder: EventDecoder
    var pricer: EventPricer
  }

  private let book: PriceBook
  private let now: Int64
  /// Pairs that nothing works with at the moment.
  private let idle = Mutex<[Worker]>([])

  init(book: PriceBook, now: Int64) {
    self.book = book
    self.now = now
  }

  func decode(_ piece: FormattedPiece) -> DecodedPiece {
    var worker =
      idle.withLock { $0.popLast() }
      ?? Worker(decoder: EventDecoder(now: now), pricer: EventPricer(book: book))
    defer { idle.withLock { $0.append(worker) } }
    var decoded = piece.format.decode(piece.piece, with: &worker.decoder, now: now)
    let isBrokenOff = decoded.isBrokenOff
    decoded.isBrokenOff = false
    return DecodedPiece(
      batch: worker.pricer.charge(decoded, source: piece.format.rawValue),
      blankLinesAtEnd: piece.piece.blankLinesAtEnd, isBrokenOff: isBrokenOff)
  }
}
