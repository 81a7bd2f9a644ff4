// Appending many elements to an array.
#pragma once

#include "engine/array/array.h"

namespace quire {

// What a huge page is: a piece of so many bytes, at a multiple of it in the file, is mapped by one.
inline constexpr std::size_t kArrayPieceBytes = 2 << 20;

// Appends elements one after the other. Where enough of them are to come they are collected until
// they make a piece, whose blocks are then written straight to the file, together: they never lie
// in private memory, and maps of the file get huge pages. What is left over is appended like any
// element, and so is all where a piece is not a whole number of blocks, or there is no room for
// one. Nothing else changes the array meanwhile. One thread.
class ArrayAppender {
 public:
  // `count`: how many elements come, about.
  ArrayAppender(ArrayWriter& array, std::uint64_t count,
                std::size_t piece_bytes = kArrayPieceBytes);
  // The bytes of the next element, all zeros, good until the next call.
  Result<std::byte*> next();
  // After the last: only then all are in the array.
  Status finish() { return write(); }

 private:
  bool begins_piece() const noexcept;
  std::byte* element_at(std::uint64_t i) noexcept;
  Status write();

  ArrayWriter* array_;
  std::uint64_t left_;             // elements to come
  std::uint64_t block_bytes_ = 0;  // these where pieces are made
  std::uint64_t per_block_ = 0;
  std::uint64_t per_piece_ = 0;
  std::uint64_t begun_ = 0;   // size of the array without the piece
  std::uint64_t filled_ = 0;  // elements of the piece
  ByteVector piece_;          // empty: none is made any more
};

}  // namespace quire
