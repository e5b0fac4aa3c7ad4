/// The points of a small space that a series has been at, none nearer to another than a radius.
///
/// A new point is told by its distance to the nearest one kept (leader clustering, Hartigan 1975; as a
/// detector of what is new, adaptive resonance: Carpenter & Grossberg 1987). It is kept where it is farther than the radius;
/// else the nearest one is marked as seen again. Distances are the largest of the coordinates'. What was not seen for a
/// memory of rows is forgotten, and where there is no room, what was not seen for longest.
struct NoveltyMemory: Sendable, Equatable, Codable {
  /// Coordinates of a point.
  private let width: Int
  private let capacity: Int
  private let memoryRows: Int
  /// Coordinates of the points, one point after the other.
  private var coordinates: [Double] = []
  /// The row in which each point was seen last.
  private var lastSeen: [Int] = []

  /// - Precondition: all at least 1.
  init(width: Int, capacity: Int, memoryRows: Int) {
    precondition(width >= 1 && capacity >= 1 && memoryRows >= 1, "BUG: an empty memory")
    self.width = width
    self.capacity = capacity
    self.memoryRows = memoryRows
  }

  /// Measures a point and remembers it.
  ///
  /// - Parameters:
  ///   - point: as many finite coordinates as the memory is wide.
  ///   - row: never less than in the call before.
  ///   - radius: the distance from which a point is kept as one of its own.
  /// - Returns: The distance to the nearest point and that point's last coordinate; nil for the first
  ///   point.
  /// - Complexity: O(capacity · width).
  mutating func observe(
    _ point: [Double], row: Int, radius: Double
  ) -> (distance: Double, nearest: Double)? {
    forget(before: row - memoryRows)
    var best = Double.infinity
    var place = 0
    for index in lastSeen.indices {
      var distance = 0.0
      for axis in 0..<width {
        distance = max(distance, abs(point[axis] - coordinates[index * width + axis]))
      }
      if distance < best {
        best = distance
        place = index
      }
    }
    let nearest = lastSeen.isEmpty ? nil : (best, coordinates[place * width + width - 1])
    if best > radius || lastSeen.isEmpty {
      keep(point, row)
    } else {
      lastSeen[place] = row
    }
    return nearest
  }

  private mutating func keep(_ point: [Double], _ row: Int) {
    if lastSeen.count < capacity {
      lastSeen.append(row)
      coordinates.append(contentsOf: point[..<width])
      return
    }
    var oldest = 0
    for index in lastSeen.indices where lastSeen[index] < lastSeen[oldest] { oldest = index }
    lastSeen[oldest] = row
    for axis in 0..<width { coordinates[oldest * width + axis] = point[axis] }
  }

  private mutating func forget(before row: Int) {
    var index = 0
    while index < lastSeen.count {
      guard lastSeen[index] < row else {
        index += 1
        continue
      }
      let last = lastSeen.count - 1
      lastSeen[index] = lastSeen[last]
      for axis in 0..<width { coordinates[index * width + axis] = coordinates[last * width + axis] }
      lastSeen.removeLast()
      coordinates.removeLast(width)
    }
  }

  mutating func rescale(_ place: (Double) -> Double) {
    for index in coordinates.indices { coordinates[index] = place(coordinates[index]) }
  }

  var isSound: Bool {
    width >= 1 && capacity >= 1 && memoryRows >= 1 && lastSeen.count <= capacity
      && coordinates.count.isMultiple(of: width) && coordinates.count / width == lastSeen.count
      && coordinates.allSatisfy(\.isBounded)
  }
}
