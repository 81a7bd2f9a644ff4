#include "engine/db/salvage_files.h"

#include <algorithm>
#include <array>

#include "engine/db/database.h"
#include "engine/txn/operation.h"
#include "wal/log_reader.h"
#include "wal/segment_image.h"

namespace quire {
namespace {

constexpr std::size_t kPiece = 1 << 20;
// States that are tried when no meta page names one: newer ones first.
constexpr std::size_t kStatesTried = 64;

SalvageEvent note(std::string text) {
  return {.kind = SalvageEvent::Kind::kNote, .text = std::move(text)};
}

// Calls `visit` with each piece of the file, as far as it can be read.
template <class Visit>
Status each_piece(io::File& data, std::uint64_t file_bytes, const Visit& visit) {
  ByteVector buffer(kPiece);
  for (std::uint64_t at = 0; at < file_bytes; at += kPiece) {
    const MutableBytes piece = std::span(buffer).first(std::min(kPiece, file_bytes - at));
    if (!data.read(at, piece)) std::ranges::fill(piece, std::byte{0});
    QUIRE_CHECK(visit(at, Bytes(piece)));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DamagedFiles>> DamagedFiles::open(io::Disk& disk, const std::string& path,
                                                         std::vector<SalvageEvent>& events) {
  std::unique_ptr<DamagedFiles> files(new DamagedFiles(disk, path));
  QUIRE_TRY(const bool there, disk.exists(path));
  if (!there) return fail(ErrorCode::kNotFound, "there is no database at %s", path.c_str());
  QUIRE_TRY(const bool data_there, disk.exists(files->data_path()));
  QUIRE_TRY(const bool log_there, disk.exists(path + "/wal"));
  if (!data_there && !log_there)
    return fail(ErrorCode::kNotDatabase,
                "%s is not a Quire database (it has neither 'data' nor 'wal')", path.c_str());
  if (data_there) {
    QUIRE_TRY(files->data_, disk.open(files->data_path(), io::OpenMode::kRead));
    QUIRE_CHECK(files->lock());
    QUIRE_TRY(files->file_bytes_, files->data_->size());
  } else {
    events.push_back(note(files->data_path() + " is missing"));
  }
  QUIRE_CHECK(files->take_metas(events));
  return files;
}

// Shared locks, which a file that is only read can have. That of the writer keeps writers out; that
// of opening keeps out readers, who would take its holder for a writer that publishes commits.
Status DamagedFiles::lock() {
  QUIRE_TRY(const bool init, data_->try_lock(lock_range::kInit, 1, io::LockMode::kShared));
  if (!init)
    return fail(ErrorCode::kBusy, "%s is just being opened by another process", path_.c_str());
  QUIRE_TRY(const bool alone, data_->try_lock(lock_range::kWriter, 1, io::LockMode::kShared));
  if (alone) return {};
  const std::uint32_t pid = holder_pid(disk_, path_ + "/lock");
  return fail(ErrorCode::kBusy, "%s is open for writing by process %u", path_.c_str(), pid);
}

wal::LogOptions DamagedFiles::log_options() const {
  wal::LogOptions options;
  options.directory = path_ + "/wal";
  options.database = id_;
  return options;
}

Status DamagedFiles::take_metas(std::vector<SalvageEvent>& events) {
  if (data_ != nullptr) {
    auto first = read_meta(*data_, 0);
    auto second = first ? read_meta(*data_, first->page_size) : find_second_meta(*data_);
    const bool never_written = first && !second && first->sequence == kFirstSequence;
    // Where both say so it is not damage, but files that another library must read.
    if (!first && !second && is_of_another_format(first.error()) &&
        first.error().message() == second.error().message())
      return std::unexpected(first.error());
    for (const auto* meta : {&first, &second}) {
      if (*meta) {
        metas_.push_back(**meta);
      } else if (!(meta == &second && never_written)) {
        meta_lost_ = true;
        events.push_back(note(std::string(meta == &first ? "the first" : "the second") +
                              " meta page can't be used: " + meta->error().message()));
      }
    }
  }
  std::ranges::sort(metas_, std::ranges::greater{}, &Meta::sequence);
  if (!metas_.empty()) {
    page_size_ = metas_[0].page_size;
    id_ = metas_[0].database;
    archive_ = metas_[0].archive;
    return {};
  }
  QUIRE_CHECK(note_log_identity());
  return guess_page_size(events);
}

Status DamagedFiles::note_log_identity() {
  QUIRE_TRY(const auto id, wal::database_of_log(disk_, path_ + "/wal"));
  if (id) id_ = *id;
  return {};
}

// By the headers that name their own page: only one size makes them right.
Status DamagedFiles::guess_page_size(std::vector<SalvageEvent>& events) {
  std::array<std::uint64_t, 8> votes{};  // 512, 1024, ... 65536
  static_assert(kMinPageSize << 7 == kMaxPageSize);
  const auto count = [&](std::uint64_t at, Bytes piece) -> Status {
    for (std::size_t i = 0; i + kMinPageSize <= piece.size(); i += kMinPageSize) {
      const auto kind = static_cast<std::uint8_t>(piece[i]);
      if (kind < 1 || kind > 4) continue;
      const std::uint64_t page =
          load_le<std::uint32_t>(piece.data() + i + offsetof(NodeHeader, page));
      for (std::size_t size = 0; size < votes.size(); ++size)
        if (page >= kFirstPage && page * (kMinPageSize << size) == at + i) ++votes[size];
    }
    return {};
  };
  if (data_ != nullptr) QUIRE_CHECK(each_piece(*data_, file_bytes_, count));
  const auto most = std::ranges::max_element(votes);
  page_size_ =
      *most == 0 ? kDefaultPageSize : kMinPageSize << static_cast<unsigned>(most - votes.begin());
  if (*most != 0)
    events.push_back(note("no meta page tells the page size; by the pages' own headers it is " +
                          std::to_string(page_size_) + " bytes"));
  return {};
}

Result<PageReader> DamagedFiles::reader_for(const Root& root) {
  if (data_ == nullptr) return PageReader{};
  QUIRE_TRY(auto map, PageMap::create(*data_, page_size_, root.page_count));
  maps_.push_back(std::move(map));
  PageReader reader(maps_.back().get(), nullptr, root.page_count);
  reader.read_with(data_.get());
  return reader;
}

Status DamagedFiles::read_page(PageNumber page, ByteVector& bytes) {
  bytes.resize(page_size_);
  return data_->read(std::uint64_t{page} * page_size_, bytes);
}

Result<const std::vector<StrayNode>*> DamagedFiles::strays() {
  if (strays_) return &*strays_;
  std::vector<StrayNode> found;
  const auto look = [&](std::uint64_t at, Bytes piece) -> Status {
    for (std::size_t i = 0; i + page_size_ <= piece.size(); i += page_size_) {
      const NodeView node(piece.data() + i, page_size_);
      const std::uint64_t page = (at + i) / page_size_;
      if (page < kFirstPage || node.page() != page || !node.sane(node.level())) continue;
      found.push_back({.page = node.page(),
                       .level = node.level(),
                       .tree = node.tree(),
                       .birth = node.birth(),
                       .catalog_leaf = node.kind() == PageKind::kCatalogLeaf});
    }
    return {};
  };
  if (data_ != nullptr) QUIRE_CHECK(each_piece(*data_, file_bytes_, look));
  strays_ = std::move(found);
  return &*strays_;
}

// --- the state to begin with ---

// Entries that can't be read of a state; a lost entry of the catalog counts like a million.
Result<std::uint64_t> DamagedFiles::measure(const Root& root) {
  constexpr std::uint64_t kCatalogEntryLost = 1'000'000;
  std::uint64_t lost = 0;
  std::vector<std::pair<StructureId, CatalogEntry>> entries;
  QUIRE_TRY(PageReader reader, reader_for(root));
  const TreeSalvage catalog{.on_entry = [&](Bytes key, Bytes value) -> Status {
                              if (key.size() != 5 || static_cast<char>(key[0]) != 'i') return {};
                              const auto id = load_be<std::uint32_t>(key.data() + 1);
                              if (auto entry = CatalogEntry::decode(value, id))
                                entries.emplace_back(id, *entry);
                              return {};
                            },
                            .on_loss = [&](const TreeLoss& loss) -> Status {
                              lost += loss.entries * kCatalogEntryLost;
                              return {};
                            },
                            .on_node = nullptr};
  QUIRE_CHECK(tree_salvage(reader, root.catalog_tree(), catalog));
  const TreeSalvage tree{.on_entry = [](Bytes, Bytes) -> Status { return {}; },
                         .on_loss = [&](const TreeLoss& loss) -> Status {
                           lost += loss.entries;
                           return {};
                         },
                         .on_node = nullptr};
  for (const auto& [id, entry] : entries) {
    if (entry.kind == StructureKind::kTree) {
      QUIRE_CHECK(tree_salvage(reader, entry.tree(id), tree));
    } else {
      QUIRE_CHECK(array_salvage(reader, entry.array(id), [&](const ArrayLoss& loss) -> Status {
        lost += loss.elements;
        return {};
      }));
    }
  }
  return lost;
}

// Whether the log can be read on from a meta page, and nothing in it builds on a later one.
bool DamagedFiles::log_follows(const Meta& meta) {
  const auto reader = wal::LogReader::open(disk_, log_options(), meta.position);
  if (!reader) return false;
  for (;;) {
    const auto record = (*reader)->next();
    if (!record || !*record) return true;  // what is behind a hole is lost to any state
    if (static_cast<LogKind>((*record)->kind) != LogKind::kBulkMarker) continue;
    ByteReader number((*record)->payload);
    if (number.get<std::uint64_t>() > meta.root.txn) return false;
  }
}

std::optional<SalvageBase> DamagedFiles::base_of(const Meta& meta) {
  SalvageBase base;
  base.root = meta.root;
  base.meta = meta;
  base.position = meta.position;
  base.root.page_count = meta.page_count;
  if (auto free = read_free_map(*data_, meta)) {
    free->push_back(meta.free_map_run);
    base.free = merge_runs(std::move(*free));
  }
  return base;
}

// States that no meta page names: each root of a catalog that lies about. One with more levels
// comes first, because a lower node may be a part of a lost root; of these the youngest. A root is
// good when all below it is, which its checksums vouch for.
Result<std::optional<SalvageBase>> DamagedFiles::find_by_pages(TxnNumber above) {
  QUIRE_TRY(const auto* nodes, strays());
  std::vector<StrayNode> roots;
  for (const StrayNode& node : *nodes)
    if (node.tree == kCatalogId && node.birth > above && (node.level > 0 || node.catalog_leaf))
      roots.push_back(node);
  std::ranges::sort(roots, [](const StrayNode& a, const StrayNode& b) {
    return std::pair(a.level, a.birth) > std::pair(b.level, b.birth);
  });
  if (roots.size() > kStatesTried) roots.resize(kStatesTried);
  std::optional<SalvageBase> best;
  ByteVector bytes;
  for (const StrayNode& node : roots) {
    if (!read_page(node.page, bytes) || !tree_check_node(bytes, kCatalogId)) continue;
    const NodeView view(bytes.data(), page_size_);
    std::uint64_t count = view.count();
    if (node.level > 0) {
      count = 0;
      for (std::uint32_t i = 0; i < view.count(); ++i) count += view.child_count(i);
    }
    SalvageBase base;
    base.root.txn = node.birth;
    base.root.page_count = static_cast<PageNumber>(file_bytes_ / page_size_);
    base.root.catalog = {page_checksum(bytes), count, node.birth, node.page};
    base.root.catalog_height = static_cast<std::uint8_t>(node.level + 1);
    QUIRE_TRY(base.lost, measure(base.root));
    if (!best || base.lost < best->lost) best = std::move(base);
    if (best->lost == 0) break;
  }
  if (best) {
    QUIRE_TRY(best->lsn, place_of(best->root));
  }
  return best;
}

// What the catalog of a state says, where it can be read and the transaction that wrote it last
// knew to say it.
Result<std::optional<wal::Lsn>> DamagedFiles::place_of(const Root& root) {
  QUIRE_TRY(PageReader reader, reader_for(root));
  const auto value = tree_get(reader, root.catalog_tree(), as_bytes(kPlaceKey));
  if (!value && value.error().code() != ErrorCode::kCorrupt) return std::unexpected(value.error());
  if (!value || !*value) return std::nullopt;
  const auto place = PlaceEntry::decode(**value);
  if (!place || place->txn != root.txn) return std::nullopt;
  return place->lsn;
}

// Where every commit there ever was is in the log, damage to the pages costs nothing.
Result<std::optional<SalvageBase>> DamagedFiles::whole_archive(wal::Lsn at_least) {
  QUIRE_TRY(const wal::Position first, wal::first_position(disk_, log_options()));
  auto reader = wal::LogReader::open(disk_, log_options(), first);
  if (!reader) return std::nullopt;
  wal::Lsn last = 0;
  for (;;) {
    const auto record = (*reader)->next();
    if (!record) return std::nullopt;
    if (!*record) break;
    if (static_cast<LogKind>((*record)->kind) == LogKind::kBulkMarker) return std::nullopt;
    last = (*record)->lsn;
  }
  if (last == 0 || last < at_least) return std::nullopt;
  SalvageBase base;
  base.root.txn = 1;
  base.root.page_count = kFirstPage;
  base.position = first;
  return base;
}

Result<SalvageBase> DamagedFiles::choose_base(std::vector<SalvageEvent>& events) {
  std::optional<SalvageBase> base;
  const auto first = wal::first_position(disk_, log_options());
  const bool has_first_commit = first && first->segment != 0 && first->lsn == 0;
  if (!metas_.empty()) {
    base = base_of(metas_[0]);
    // Reads everything: only where there may be something better.
    if (meta_lost_ || has_first_commit) {
      QUIRE_TRY(base->lost, measure(base->root));
    }
  }
  const bool follows = base && (!meta_lost_ || log_follows(metas_[0]));
  if (!base || (meta_lost_ && (!follows || base->lost != 0))) {
    QUIRE_TRY(auto found, find_by_pages(base ? base->root.txn : 0));
    const bool better =
        found && (!base || found->lost < base->lost || (found->lost == base->lost && !follows));
    if (better) base = std::move(found);
  }
  if (has_first_commit && (!base || base->lost != 0)) {
    QUIRE_TRY(auto archive, whole_archive(metas_.empty() ? 0 : metas_[0].position.lsn));
    if (archive) {
      events.push_back(note(
          "pages are damaged, but the log goes back to the first commit: all is made from it"));
      return std::move(*archive);
    }
  }
  if (base) {
    if (!base->meta)
      events.push_back(
          {.kind = SalvageEvent::Kind::kLost,
           .text = "the newest state that a meta page named is lost; by its pages the one of "
                   "transaction " +
                   std::to_string(base->root.txn) + " (root in page " +
                   std::to_string(base->root.catalog.page) + ") was found" +
                   (base->lsn ? ", which has the log up to LSN " + std::to_string(*base->lsn) +
                                    ". Commits after it are saved only if the log has them, and "
                                    "nothing tells whether any are missing"
                              : ". Nothing tells where in the log that is: all of the log is "
                                "carried out over it, which may put older values over newer ones, "
                                "and vectors of one time beside fields of another"),
           .page = base->root.catalog.page});
    return std::move(*base);
  }
  QUIRE_TRY(const auto segments, wal::list_segments(disk_, path_ + "/wal"));
  if (segments.empty())
    return fail(ErrorCode::kNotDatabase,
                "nothing of a Quire database can be found in %s: no meta page, no catalog, no log",
                path_.c_str());
  events.push_back({.kind = SalvageEvent::Kind::kLost,
                    .text = "no state of the database can be found: what the log does not have is "
                            "lost, and nothing tells how much that is"});
  SalvageBase nothing;
  nothing.root.txn = 1;
  nothing.root.page_count = kFirstPage;
  return nothing;
}

}  // namespace quire
