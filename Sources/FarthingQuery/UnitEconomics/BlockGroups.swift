/// The kept rows of a block and the group of each.
struct BlockGroups {
  var selection: RowSelection
  /// One for each kept row, in their order; not looked at where all rows are one group.
  var groups: [UInt32]
  let isSingle: Bool
  /// Groups are below this.
  var groupCount: Int

  @inline(__always)
  func group(_ index: Int) -> Int { isSingle ? 0 : Int(groups[index]) }
}
