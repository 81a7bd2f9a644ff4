// Writes private pages to the file: the pages of a committed state before it is published, or the
// leaves of a running transaction that has grown too large.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/array/array.h"
#include "engine/io/disk.h"
#include "engine/page/frame_table.h"
#include "engine/page/page_space.h"
#include "engine/page/page_writer.h"
#include "engine/txn/root.h"

namespace quire {

// One use by one thread. Frames are only read (they may be in use by any number of readers): each
// page is copied, its pointers to private pages get their checksums, and the copy is hashed and
// written, children before parents, in order of page numbers within a batch.
class Flusher {
 public:
  // Told of frames whose pages are in the file with the same content now; may take them.
  using OnWritten = std::function<void(std::vector<Frame*>& frames)>;
  Flusher(io::File& data, const FrameTable& frames, PageSpace& space, std::uint32_t page_size,
          OnWritten on_written = {})
      : data_(data),
        frames_(frames),
        space_(space),
        page_size_(page_size),
        on_written_(std::move(on_written)) {}

  // Writes every private page that `root` reaches; returns the root with its checksum set. The
  // caller keeps the root pinned meanwhile.
  Result<Root> flush(const Root& root);

  // Writes the leaves and blocks that `pages`'s transaction has made in one structure and drops
  // their frames; their parents' frames, which are the transaction's own, get the checksums.
  Status spill(PageWriter& pages, const TreeRoot& tree);
  Status spill(PageWriter& pages, const ArrayRoot& array);

 private:
  using Buffer = std::unique_ptr<std::byte[]>;
  struct Staged {
    PageNumber page;
    PageNumber pages;
    Buffer image;
  };

  // Each returns the checksum for the pointer.
  Result<std::uint64_t> flush_node(const PagePtr& ptr);
  Result<std::uint64_t> flush_table(const PagePtr& ptr, PageNumber block_pages);
  Result<std::uint64_t> flush_block(const PagePtr& ptr, PageNumber pages);
  Status flush_catalog_value(Bytes key, MutableBytes value);
  // The page's private copy to work on; null when it is in the file already.
  Result<Buffer> image_of(const PagePtr& ptr, PageNumber pages);
  Result<std::uint64_t> checksum_in_file(const PagePtr& ptr, PageNumber pages);
  Result<std::uint64_t> stage(const PagePtr& ptr, PageNumber pages, Buffer image);
  Status write_staged();
  Status spill_children(PageWriter& pages, std::byte* parent, PageNumber block_pages, bool array);
  Status spill_page(PageWriter& pages, const PagePtr& ptr, PageNumber count, std::byte* at);
  Status finish_spill(PageWriter& pages);

  io::File& data_;
  const FrameTable& frames_;
  PageSpace& space_;
  std::uint32_t page_size_;
  std::vector<Staged> staged_;
  std::uint64_t staged_bytes_ = 0;
  std::vector<Frame*> written_;  // of what is staged
  OnWritten on_written_;
  std::vector<PageNumber> spilled_;
};

}  // namespace quire
