// Pages of B+trees, under right checksums.
//
// What the input is: changes to the pages of a tree (of several kinds) and to its root, and then
// operations. The checksums in all pointers above the changes are made right; the counts too, if
// the input says so.
//
// What is promised. Of any content: each page alone and the tree as a whole can be looked at, read,
// changed and freed with nothing worse than an error, in bounded time; what is freed lies in the
// file. Of a tree in which tree_check finds nothing: it is a map. Its entries are in order, as many
// as its root counts, each is found by its key, its rank and from both ends; and it stays one,
// equal to a std::map, through every change.
#include <algorithm>
#include <map>
#include <optional>

#include "engine/tree/tree.h"
#include "fuzz/fix_sums.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "fuzz/page_world.h"

namespace quire::fuzz {
namespace {

using Map = std::map<std::string, std::string>;
constexpr std::uint32_t kTree = 9;
constexpr TxnNumber kBuiltBy = 5;
constexpr TxnNumber kTxn = 6;
// Of entries, on a walk through what may be pages that point to one another.
constexpr int kLongestWalk = 1500;

// --- trees to begin with ---

std::string text_key(std::uint32_t n) {
  return "shelf/key" + std::to_string(n * 2654435761U % 1000) + (n % 3 == 0 ? "/more" : "");
}

std::string number_key(std::uint32_t n) {
  std::byte bytes[8];
  store_be<std::uint64_t>(bytes, n * std::uint64_t{3});
  return std::string(as_text(bytes));
}

struct Kind {
  std::uint32_t page_size;
  std::uint32_t entries;
  std::string (*key)(std::uint32_t);
  bool overflow;
  bool catalog;
};
constexpr Kind kKinds[] = {
    {512, 90, text_key, true, false},      // three levels
    {512, 60, number_key, false, true},    // a catalog
    {1024, 150, number_key, true, false},  // hints
    {4096, 45, text_key, false, false},    // a leaf alone
};

struct Base {
  ByteVector file;
  TreeRoot tree;
  std::vector<std::string> keys;
  std::vector<PageNumber> nodes;
};

void publish(PageWorld& world, PagePtr& ptr) {
  const Frame* const frame = world.frame(ptr.page);
  if (frame == nullptr) return;
  must(
      tree_for_each_pointer({frame->data, world.page_size()}, [&](const ChildRef& child) -> Status {
        PagePtr below = load_ptr(child.at);
        if (child.kind == ChildRef::Kind::kNode) publish(world, below);
        store_ptr(child.at, below);
        return {};
      }));
  ptr.checksum = world.put_down(*frame);
}

void list_nodes(PageWorld& world, const PagePtr& ptr, std::vector<PageNumber>& nodes) {
  nodes.push_back(ptr.page);
  must(tree_for_each_pointer(world.page(ptr.page), [&](const ChildRef& child) -> Status {
    if (child.kind == ChildRef::Kind::kNode) list_nodes(world, load_ptr(child.at), nodes);
    return {};
  }));
}

Base build(PageWorld& world, const Kind& kind) {
  Base base;
  TreeWriter writer(&world.writer(kBuiltBy), {.root = {}, .id = kTree, .catalog = kind.catalog});
  for (std::uint32_t n = 0; n < kind.entries; ++n) {
    base.keys.push_back(kind.key(n));
    const bool large = kind.overflow && n % 25 == 7;
    const std::string value(large ? kind.page_size + n : n % 40, static_cast<char>('a' + n % 26));
    must(writer.put(as_bytes(base.keys.back()), as_bytes(value)));
  }
  for (std::uint32_t n = 3; n < kind.entries; n += 11) must(writer.erase(as_bytes(base.keys[n])));
  base.tree = writer.root();
  publish(world, base.tree.root);
  world.commit(true);
  list_nodes(world, base.tree.root, base.nodes);
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

// Where in a node, by its parts; the node may be changed already.
std::size_t spot_in(Input& input, const NodeView& node) {
  const std::uint8_t part = input.byte() % 8;
  const std::uint32_t count = std::max(node.count(), 1U);
  if (part == 0) return input.byte() % kPageHeaderSize;
  if (part == 1) return kHintsAt + input.byte() % 64U;
  if (part == 2) return kNodeFixedSize + input.byte();
  if (part < 7) {
    const std::uint32_t slot = input.byte() % count;
    const std::size_t at = std::size_t{node.slots_begin()} + kSlotSize * slot;
    if (at + kSlotSize > node.page_size()) return input.byte();
    if (part < 5) return at + input.byte() % kSlotSize;
    return node.payload_at(slot) + input.byte() % 40U;
  }
  return input.take<std::uint16_t>();
}

void change(Input& input, Place& place) {
  const std::size_t changes = input.byte() % (Edits::kMost + 1);
  for (std::size_t i = 0; i < changes; ++i) {
    const std::uint8_t what = input.byte();
    const std::vector<PageNumber>& nodes = place.base.nodes;
    const PageNumber page = nodes[input.byte() % nodes.size()];
    const MutableBytes bytes = place.world.page(page);
    if (what < 16) {  // another page's content, as a lost write leaves it
      const PageNumber other = nodes[input.byte() % nodes.size()];
      std::ranges::copy(place.world.page(other), bytes.begin());
      if (what < 8) store_le(bytes.data() + offsetof(NodeHeader, page), page);
    } else {
      Edits::apply_one(input, bytes, spot_in(input, {bytes.data(), place.world.page_size()}));
    }
  }
}

TreeRoot change_root(Input& input, TreeRoot tree) {
  const std::uint8_t what = input.byte();
  if (what >= 8) return tree;
  if (what == 0) tree.height = input.byte();
  if (what == 1) tree.root.page = input.byte();
  if (what == 2) tree.root.count = input.take<std::uint64_t>() & kMaxCount;
  if (what == 3) tree.id = input.byte();
  if (what == 4) tree.catalog = !tree.catalog;
  if (what == 5) tree.root.birth = input.byte();
  return tree;
}

// --- a page alone ---

void look_at_node(Bytes page, std::uint32_t tree, const std::vector<std::string>& keys) {
  // In memory of its own, so that a read outside of it is seen.
  const auto copy = std::make_unique<std::byte[]>(page.size());
  std::copy(page.begin(), page.end(), copy.get());
  const NodeView node(copy.get(), static_cast<std::uint32_t>(page.size()));
  const bool good = node_check(node, tree).has_value();
  const bool very_good = tree_check_node({copy.get(), page.size()}, tree).has_value();
  demand(good || !very_good, "the larger check finds less");
  if (!node.sane(node.level())) return demand(!good, "a node without a sane header is good");
  for (std::uint32_t i = 0; i < node.count(); ++i) {
    const bool fits = node.cell_fits(i);
    demand(fits || !good, "a cell outside of a good node");
    if (!fits) continue;
    KeyBuffer key;
    node.key_of(i, key);
    if (!good || (node.is_branch() && i == 0)) continue;
    const Bytes bytes(key.data(), key.size());
    demand(node.compare_with(bytes, i) == 0, "a key is not equal to itself");
    const Found found = node.is_branch() ? node.find_child(bytes) : node.find(bytes);
    demand(found.slot == i && found.equal && !found.damaged, "a key of a good node is not found");
  }
  for (std::size_t i = 0; i < keys.size(); i += 7) {
    const Found found =
        node.is_branch() ? node.find_child(as_bytes(keys[i])) : node.find(as_bytes(keys[i]));
    demand(found.slot <= node.count(), "a search ends outside of the node");
  }
  (void)tree_for_each_pointer({copy.get(), page.size()}, [](const ChildRef&) { return Status(); });
  (void)tree_for_each_value({copy.get(), page.size()},
                            [](Bytes, MutableBytes) { return Status(); });
}

// --- a whole tree ---

bool is_good(PageReader reader, const TreeRoot& tree) {
  std::vector<bool> used(reader.page_count());
  const TreeCheck check{.on_page = [&](PageNumber first, PageNumber pages) -> Status {
                          for (std::uint64_t page = first; page < std::uint64_t{first} + pages;
                               ++page) {
                            if (page >= used.size() || used[page])
                              return fail(ErrorCode::kCorrupt, "page %llu twice, or past the end",
                                          static_cast<unsigned long long>(page));
                            used[page] = true;
                          }
                          return {};
                        },
                        .on_damage = {},
                        .on_entry = {}};
  const Status status = tree_check(reader, tree, check);
  int damages = 0;
  TreeCheck going_on{.on_page = {}, .on_damage = [&](const Error&) { ++damages; }, .on_entry = {}};
  const Status walked = tree_check(reader, tree, going_on);
  demand(!status || (walked && damages == 0), "a check that goes on finds what the other did not");
  return status.has_value();
}

// A walk to one end; of a good tree all of it must be there.
template <class Step>
Map walk(TreeCursor& cursor, Status status, Step step, bool good) {
  Map entries;
  std::string before;
  for (int i = 0; status && cursor.valid() && i < kLongestWalk; ++i) {
    const std::string key(as_text(cursor.key()));
    const auto value = cursor.value();
    demand(value || !good, "a value of a good tree can't be read");
    if (value) {
      const bool fresh = entries.emplace(key, as_text(*value)).second;
      demand(fresh || !good, "a key twice in a good tree");
    }
    if (i % 16 == 0) {
      const auto rank = cursor.rank();
      demand(rank || !good, "a rank in a good tree");
    }
    status = step(cursor);
  }
  demand(status || !good, "a walk through a good tree fails");
  return entries;
}

void expect_map(PageReader& reader, const TreeRoot& tree, const Map& map) {
  TreeCursor cursor(&reader, tree);
  demand(walk(
             cursor, cursor.first(), [](TreeCursor& c) { return c.next(); }, true) == map,
         "a tree has other entries than it should");
  demand(walk(
             cursor, cursor.last(), [](TreeCursor& c) { return c.previous(); }, true) == map,
         "from the end a tree has other entries");
  demand(tree.count() == map.size(), "the root counts other entries");
  std::uint64_t rank = 0;
  for (const auto& [key, value] : map) {
    const auto found = must(tree_get(reader, tree, as_bytes(key)));
    demand(found && as_text(*found) == value, "an entry is not found by its key");
    demand(must(tree_rank(reader, tree, as_bytes(key))) == rank, "a wrong rank");
    if (rank % 8 == 0) {
      must(cursor.seek_rank(rank));
      demand(cursor.valid() && as_text(cursor.key()) == key, "an entry is not found by its rank");
    }
    ++rank;
  }
}

Map read_damaged(PageReader& reader, const TreeRoot& tree, bool good) {
  TreeCursor cursor(&reader, tree);
  Map map = walk(cursor, cursor.first(), [](TreeCursor& c) { return c.next(); }, good);
  if (!good) walk(cursor, cursor.last(), [](TreeCursor& c) { return c.previous(); }, false);
  return map;
}

// --- operations ---

// A tree in a transaction, and what it should be; without a model nothing is expected but that
// nothing worse than an error comes.
class Changer {
 public:
  Changer(Place& place, const TreeRoot& tree, Input& input, std::optional<Map> model)
      : place_(place),
        input_(input),
        pages_(place.world.writer(kTxn)),
        writer_(&pages_, tree),
        model_(std::move(model)) {}

  void run() {
    for (int i = 0; i < 48 && !input_.empty(); ++i) step();
    if (model_) {
      demand(is_good(pages_.reader(), writer_.root()), "a good tree was changed into a bad one");
      expect_map(pages_.reader(), writer_.root(), *model_);
    }
  }

 private:
  std::string some_key() {
    const std::uint8_t which = input_.byte();
    if (which < 200) return place_.base.keys[which % place_.base.keys.size()];
    return std::string(input_.text(which < 250 ? 20 : 200));
  }
  std::string some_value() {
    const std::uint8_t size = input_.byte();
    return std::string(size > 250 ? place_.world.page_size() + size : size % 64, 'v');
  }

  void step() {
    switch (input_.byte() % 8) {
      case 0:
      case 1:
      case 2:
        return put();
      case 3:
      case 4:
        return erase();
      case 5:
        return erase_range();
      case 6:
        return look();
      default:
        return seldom();
    }
  }

  void put() {
    const std::string key = some_key();
    const std::string value = some_value();
    const auto mode = static_cast<TreeWriter::PutMode>(input_.byte() % 4);
    if (writer_.root().catalog && value.size() > writer_.inline_limit(key.size())) return;
    const auto done = writer_.put(as_bytes(key), as_bytes(value), mode);
    if (!model_) return;
    const bool sound = !key.empty() && key.size() <= max_key_size(place_.world.page_size());
    const bool there = model_->contains(key);
    const bool allowed =
        sound && (mode != TreeWriter::PutMode::kInsert || !there) &&
        (mode != TreeWriter::PutMode::kUpdate || there) &&
        (mode != TreeWriter::PutMode::kAppend || model_->empty() || model_->rbegin()->first < key);
    demand(done.has_value() == allowed, "a put that should fail, or should not");
    if (!done) return;
    demand(*done == !there, "a put says that a key was there, or was not");
    (*model_)[key] = value;
  }
  void erase() {
    const std::string key = some_key();
    const auto done = writer_.erase(as_bytes(key));
    if (!model_) return;
    demand(done && *done == (model_->erase(key) == 1), "an erase");
  }
  void erase_range() {
    const std::string low = some_key();
    const bool open = input_.byte() < 40;
    const std::string high = some_key();
    const auto done =
        writer_.erase_range(as_bytes(low), open ? std::nullopt : std::optional(as_bytes(high)));
    if (!model_) return;
    const auto first = model_->lower_bound(low);
    const auto last = open ? model_->end() : model_->lower_bound(high);
    std::uint64_t count = 0;
    if (open || low < high) {
      count = static_cast<std::uint64_t>(std::distance(first, last));
      model_->erase(first, last);
    }
    demand(done && *done == count, "an erased range");
  }
  void look() {
    const std::string key = some_key();
    const auto value = writer_.get(as_bytes(key));
    const auto rank = tree_rank(pages_.reader(), writer_.root(), as_bytes(key));
    TreeCursor cursor(&pages_.reader(), writer_.root());
    const Status sought =
        input_.flag() ? cursor.seek(as_bytes(key)) : cursor.seek_before(as_bytes(key));
    if (sought && cursor.valid()) (void)cursor.value();
    if (!model_) return;
    const auto found = model_->find(key);
    demand(value && value->has_value() == (found != model_->end()), "a look-up");
    demand(!*value || as_text(**value) == found->second, "a value");
    demand(rank && *rank == static_cast<std::uint64_t>(
                                std::distance(model_->begin(), model_->lower_bound(key))),
           "a rank");
  }
  void seldom() {
    const std::uint8_t what = input_.byte() % 16;
    if (what == 0) {
      const Status done = writer_.clear();
      if (!model_) return;
      demand(done.has_value(), "a good tree can't be cleared");
      model_->clear();
    } else if (what == 1 && !marked_) {
      marked_ = pages_.mark();
      root_then_ = writer_.root();
      model_then_ = model_;
    } else if (what < 4 && marked_) {
      pages_.rollback(*marked_);
      writer_.reset(root_then_);
      model_ = model_then_;
    }
  }

  Place& place_;
  Input& input_;
  PageWriter& pages_;
  TreeWriter writer_;
  std::optional<Map> model_;
  std::optional<std::size_t> marked_;
  TreeRoot root_then_;
  std::optional<Map> model_then_;
};

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  Place& place = place_of(input.byte() % std::size(kKinds));
  place.world.load(place.base.file);
  const std::uint8_t counts = input.byte();
  TreeRoot tree = change_root(input, place.base.tree);
  change(input, place);
  SumFixer fixer(place.world.bytes(), place.world.page_size(), (counts & 1) != 0);
  fixer.fix_tree(tree.root);
  for (const PageNumber page : place.base.nodes) {
    const std::size_t offset = std::size_t{page} * place.world.page_size();
    const MutableBytes now = place.world.page(page);
    if (!equal_bytes(now, Bytes(place.base.file).subspan(offset, now.size())))
      look_at_node(now, kTree, place.base.keys);
  }
  PageReader reader = place.world.reader();
  const bool good = is_good(reader, tree);
  Map map = read_damaged(reader, tree, good);
  if (good) expect_map(reader, tree, map);
  Changer(place, tree, input, good ? std::optional(std::move(map)) : std::nullopt).run();
  if ((counts & 2) != 0)
    place.world.commit(good);
  else
    place.world.give_up();
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  for (std::uint8_t kind = 0; kind < std::size(kKinds); ++kind) {
    // Nothing changed, and some of each operation.
    ByteVector seed = {std::byte{kind}, std::byte{3}, std::byte{255}, std::byte{0}};
    for (std::uint8_t i = 0; i < 160; ++i) seed.push_back(static_cast<std::byte>(i * 37));
    all.push_back(seed);
    // A byte of a slot.
    all.push_back({std::byte{kind}, std::byte{1}, std::byte{255}, std::byte{1}, std::byte{16},
                   std::byte{1}, std::byte{3}, std::byte{2}, std::byte{4}, std::byte{16},
                   std::byte{7}, std::byte{1}, std::byte{0}, std::byte{40}});
  }
  return all;
}

}  // namespace quire::fuzz
