// Tables of paged arrays, under right checksums.
//
// What the input is: changes to the tables and blocks of an array (of several kinds) and to its
// root, as a damaged catalog would give it, and then operations. The checksums in all pointers
// above the changes are made right.
//
// What is promised. Of any content: it can be looked at, read, changed, cut and freed with nothing
// worse than an error, in bounded time and memory; what is freed lies in the file. Of an array in
// which array_check finds nothing: every element can be read, each way of reading gives the same,
// and through every change it stays equal to a model.
#include <algorithm>
#include <map>
#include <optional>

#include "engine/array/array.h"
#include "engine/array/array_format.h"
#include "fuzz/fix_sums.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "fuzz/page_world.h"

namespace quire::fuzz {
namespace {

constexpr std::uint32_t kArray = 7;
constexpr TxnNumber kBuiltBy = 5;
constexpr TxnNumber kTxn = 6;
// An array of holes may have as many elements as it likes: so many are looked at.
constexpr std::uint64_t kLooks = 300;

struct Kind {
  std::uint32_t page_size;
  std::uint32_t element_size;
  std::uint64_t size;
  PageNumber block_pages;  // 0: as it likes
};
constexpr Kind kKinds[] = {
    {512, 100, 900, 1},  // three levels, with holes
    {512, 16, 300, 0},   // one level
    {512, 24, 60, 8},    // a young array: a block alone
    {512, 1500, 20, 0},  // elements larger than a page
    {4096, 384, 400, 1},
};

struct Base {
  ByteVector file;
  ArrayRoot array;
  std::vector<PageNumber> tables;
};

void publish(PageWorld& world, PagePtr& ptr, bool table) {
  const Frame* const frame = world.frame(ptr.page);
  if (frame == nullptr) return;
  if (table) {
    const MutableBytes bytes(frame->data, world.page_size());
    must(array_for_each_pointer(bytes, [&](const ArrayChildRef& child) -> Status {
      PagePtr below = load_ptr(child.at);
      publish(world, below, !child.block);
      store_ptr(child.at, below);
      return {};
    }));
  }
  ptr.checksum = world.put_down(*frame);
}

void list_tables(PageWorld& world, const PagePtr& ptr, std::vector<PageNumber>& tables) {
  tables.push_back(ptr.page);
  must(array_for_each_pointer(world.page(ptr.page), [&](const ArrayChildRef& child) -> Status {
    if (!child.block) list_tables(world, load_ptr(child.at), tables);
    return {};
  }));
}

ByteVector element_of(std::uint64_t i, std::uint32_t size) {
  ByteVector element(size, static_cast<std::byte>(i * 7 + 1));
  if (size >= 8) store_le(element.data(), i);
  return element;
}

Base build(PageWorld& world, const Kind& kind) {
  Base base;
  ArrayWriter writer(
      &world.writer(kBuiltBy),
      {.element_size = kind.element_size, .block_pages = kind.block_pages, .id = kArray});
  for (std::uint64_t i = 0; i < kind.size; ++i) {
    if (i / 100 % 3 == 1 && i + 1 != kind.size) continue;
    must(writer.set(i, element_of(i, kind.element_size)));
  }
  base.array = writer.root();
  publish(world, base.array.root, base.array.height > 0);
  world.commit(true);
  if (base.array.height > 0)
    list_tables(world, base.array.root, base.tables);
  else
    base.tables.push_back(base.array.root.page);
  base.file = to_vector(world.bytes());
  return base;
}

struct Place {
  explicit Place(const Kind& kind) : world(kind.page_size), base(build(world, kind)) {}
  PageWorld world;
  Base base;
};

Place& place_of(std::size_t kind) {
  static std::unique_ptr<Place> places[std::size(kKinds)];
  if (!places[kind]) places[kind] = std::make_unique<Place>(kKinds[kind]);
  return *places[kind];
}

// --- what an input changes ---

void change(Input& input, Place& place) {
  const std::size_t changes = input.byte() % (Edits::kMost + 1);
  const std::vector<PageNumber>& tables = place.base.tables;
  for (std::size_t i = 0; i < changes; ++i) {
    const std::uint8_t what = input.byte();
    const PageNumber page = tables[input.byte() % tables.size()];
    const MutableBytes bytes = place.world.page(page);
    if (what < 16) {
      std::ranges::copy(place.world.page(tables[input.byte() % tables.size()]), bytes.begin());
      if (what < 8) store_le(bytes.data() + offsetof(ArrayTableHeader, page), page);
      continue;
    }
    const std::size_t at = what < 64    ? input.byte() % kPageHeaderSize
                           : what < 240 ? kPageHeaderSize + input.byte() % 12 * kPagePtrSize +
                                              input.byte() % kPagePtrSize
                                        : input.take<std::uint16_t>();
    Edits::apply_one(input, bytes, at);
  }
}

// As the catalog lets a root through (CatalogEntry::decode), or any.
ArrayRoot change_root(Input& input, ArrayRoot array) {
  for (std::uint8_t what = input.byte(); what < 10; what = input.byte()) {
    if (what == 0) array.height = input.byte();
    if (what == 1) array.root.page = input.byte();
    if (what == 2) array.size = input.take<std::uint16_t>();
    if (what == 3) array.size = input.take<std::uint64_t>();
    if (what == 4) array.element_size = input.take<std::uint16_t>();
    if (what == 5) array.block_pages = input.byte();
    if (what == 6) array.first_block_pages = input.byte();
    if (what == 7) array.root = {};
    if (what == 8) array.block_pages = input.take<std::uint32_t>();
    if (what == 9) array.root.count = input.take<std::uint64_t>() & kMaxCount;
    if (input.empty()) break;
  }
  return array;
}

// --- reading ---

// `why` gets the words for what is not.
bool is_good(PageReader reader, const ArrayRoot& array, std::string* why = nullptr) {
  std::vector<bool> used(reader.page_count());
  const ArrayCheck check{.on_page = [&](PageNumber first, PageNumber pages) -> Status {
                           for (std::uint64_t page = first; page < std::uint64_t{first} + pages;
                                ++page) {
                             if (page >= used.size() || used[page])
                               return fail(ErrorCode::kCorrupt, "page %llu twice, or past the end",
                                           static_cast<unsigned long long>(page));
                             used[page] = true;
                           }
                           return {};
                         },
                         .on_damage = {}};
  const Status status = array_check(reader, array, check);
  int damages = 0;
  const ArrayCheck going_on{.on_page = {}, .on_damage = [&](const Error&) { ++damages; }};
  const Status walked = array_check(reader, array, going_on);
  demand(!status || (walked && damages == 0), "a check that goes on finds what the other did not");
  if (!status && why != nullptr) *why = status.error().message();
  return status.has_value();
}

std::uint64_t sum_of(Bytes bytes) { return checksum64(bytes); }

// Which elements to look at: all of a small array, else some from every part.
std::vector<std::uint64_t> looks_at(std::uint64_t size) {
  std::vector<std::uint64_t> all;
  if (size == 0) return all;
  const std::uint64_t step = std::max<std::uint64_t>(1, size / kLooks);
  for (std::uint64_t i = 0; i < kLooks && i * step < size; ++i) all.push_back(i * step);
  all.push_back(size - 1);
  return all;
}

void read_all(PageReader reader, const ArrayRoot& array, bool good) {
  ArrayView view(reader, array);
  ArrayView pieces(reader, array);
  demand(view.size() == array.size, "a view of another size");
  for (const std::uint64_t i : looks_at(array.size)) {
    const std::byte* const element = view.at(i);
    const ArrayView::Piece piece = pieces.piece(i);
    view.prefetch(i);
    demand(element != nullptr || !good, "an element of a good array can't be read");
    demand((element == nullptr) == (piece.data == nullptr), "two ways of reading do not agree");
    if (element == nullptr) {
      demand(view.take_error().code() == ErrorCode::kCorrupt, "the error of an element");
      (void)pieces.take_error();
      continue;
    }
    demand(piece.count > 0 && piece.count <= array.size - i, "a piece out of the array");
    demand(sum_of({element, array.element_size}) == sum_of({piece.data, array.element_size}),
           "two ways of reading give different elements");
    sum_of({piece.data, piece.count * array.element_size});
  }
}

// --- changing ---

class Changer {
 public:
  Changer(Place& place, const ArrayRoot& array, Input& input, bool good)
      : input_(input), pages_(place.world.writer(kTxn)), writer_(&pages_, array), good_(good) {}

  void run() {
    for (int i = 0; i < 40 && !input_.empty(); ++i) step();
    if (!good_) return;
    std::string why;
    if (!is_good(pages_.reader(), writer_.root(), &why))
      found("a good array was changed into a bad one: " + why);
    read_all(pages_.reader(), writer_.root(), true);
    for (const auto& [i, element] : known_) expect(i, element);
  }

 private:
  std::uint64_t size() const { return writer_.root().size; }
  std::uint64_t some_index() {
    const std::uint8_t which = input_.byte();
    if (which < 128) return size() == 0 ? 0 : input_.take<std::uint16_t>() % size();
    if (which < 200) return input_.take<std::uint16_t>();
    if (which < 250) return size() + which % 16;
    return input_.take<std::uint64_t>();
  }

  void step() {
    switch (input_.byte() % 8) {
      case 0:
      case 1:
      case 2:
        return set();
      case 3:
        return touch();
      case 4:
      case 5:
        return get();
      case 6:
        return truncate();
      default:
        return seldom();
    }
  }

  void set() {
    const std::uint64_t i = some_index();
    const std::uint64_t before = size();
    const ByteVector element(writer_.root().element_size, static_cast<std::byte>(input_.byte()));
    if (element.size() > 4096) return;
    const Status done = writer_.set(i, element);
    note(done, i, before, element);
  }
  void touch() {
    const std::uint64_t i = some_index();
    const std::uint64_t before = size();
    const auto bytes = writer_.touch(i);
    if (!bytes) return note(std::unexpected(bytes.error()), i, before, {});
    const ByteVector element(writer_.root().element_size, std::byte{0x5A});
    std::ranges::copy(element, *bytes);
    note({}, i, before, element);
  }
  void note(const Status& done, std::uint64_t i, std::uint64_t before, const ByteVector& element) {
    demand(done || size() == before, "an array has another size after an error");
    if (!good_) return;
    // An index out of range, or no room for it, is no fault of the array.
    demand(done || i >= before || done.error().code() == ErrorCode::kFull,
           "an element of a good array can't be changed");
    if (!done) return;
    demand(size() == std::max(before, i + 1), "an array has another size after a change");
    known_[i] = element;
  }
  void get() {
    const std::uint64_t i = some_index();
    const auto element = writer_.get(i);
    demand(element || i >= size() || !good_, "an element of a good array can't be read");
    demand(!element || i < size(), "an element past the end");
    if (!element) return;
    sum_of(*element);
    if (const auto known = known_.find(i); good_ && known != known_.end())
      demand(equal_bytes(*element, known->second), "an element is not what was written");
  }
  void truncate() {
    const std::uint64_t before = size();
    const std::uint64_t to = some_index();
    const Status done = writer_.truncate(to);
    demand(done || size() == before, "an array has another size after an error");
    // A table on the way may have to be copied first, and there may be no room for it.
    if (!done && good_ && done.error().code() != ErrorCode::kFull)
      found("a good array can't be cut: " + done.error().message());
    if (!done) return;
    demand(size() == std::min(before, to), "a cut array has another size");
    known_.erase(known_.lower_bound(to), known_.end());
  }
  void seldom() {
    const std::uint8_t what = input_.byte() % 16;
    if (what == 0) {
      const Status done = writer_.clear();
      demand(done || !good_, "a good array can't be cleared");
      if (done) known_.clear();
    } else if (what == 1 && !marked_) {
      marked_ = pages_.mark();
      then_ = writer_.root();
      known_then_ = known_;
    } else if (what < 4 && marked_) {
      pages_.rollback(*marked_);
      writer_.reset(then_);
      known_ = known_then_;
    }
  }
  void expect(std::uint64_t i, const ByteVector& element) {
    const auto bytes = writer_.get(i);
    demand(bytes && equal_bytes(*bytes, element), "an element is not what was written");
  }

  Input& input_;
  PageWriter& pages_;
  ArrayWriter writer_;
  const bool good_;
  std::map<std::uint64_t, ByteVector> known_;
  std::optional<std::size_t> marked_;
  ArrayRoot then_;
  std::map<std::uint64_t, ByteVector> known_then_;
};

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  Place& place = place_of(input.byte() % std::size(kKinds));
  place.world.load(place.base.file);
  const bool commits = input.flag();
  ArrayRoot array = change_root(input, place.base.array);
  change(input, place);
  SumFixer(place.world.bytes(), place.world.page_size(), false).fix_array(array);
  for (const PageNumber page : place.base.tables) {
    const ByteVector alone = to_vector(place.world.page(page));
    (void)array_for_each_pointer({const_cast<std::byte*>(alone.data()), alone.size()},
                                 [](const ArrayChildRef&) { return Status(); });
  }
  const bool good = is_good(place.world.reader(), array);
  read_all(place.world.reader(), array, good);
  // Blocks that are larger than the whole file would only cost time: there is no room for them.
  if (std::uint64_t{array.block_pages} * place.world.page_size() <= PageWorld::kLargestFile)
    Changer(place, array, input, good).run();
  if (commits)
    place.world.commit(good);
  else
    place.world.give_up();
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  for (std::uint8_t kind = 0; kind < std::size(kKinds); ++kind) {
    ByteVector seed = {std::byte{kind}, std::byte{1}, std::byte{255}, std::byte{0}};
    for (std::uint8_t i = 0; i < 160; ++i) seed.push_back(static_cast<std::byte>(i * 37));
    all.push_back(seed);
    all.push_back({std::byte{kind}, std::byte{0}, std::byte{255}, std::byte{1}, std::byte{70},
                   std::byte{1}, std::byte{3}, std::byte{8}, std::byte{4}, std::byte{16},
                   std::byte{0}, std::byte{1}, std::byte{0}, std::byte{40}});
  }
  return all;
}

}  // namespace quire::fuzz
