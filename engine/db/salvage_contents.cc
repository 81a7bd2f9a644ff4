#include "engine/db/salvage_contents.h"

#include <algorithm>

#include "engine/record/key_codec.h"
#include "engine/record/numbers.h"
#include "engine/record/record_writer.h"

namespace quire {
namespace {

using Kind = SalvageEvent::Kind;
using Subject = SalvageEvent::Subject;

// Errors of the new database end a salvage; those of a value only cost the value.
template <class T>
bool is_fatal(const Result<T>& result) {
  return !result && WriteTxn::breaks(result.error().code());
}

// A definition from its parts in the catalog (engine/record/definition.h); kCorrupt.
Result<CollectionDefinition> put_definition_together(
    const std::map<std::uint32_t, ByteVector>& parts, StructureId id) {
  ByteVector whole;
  std::uint32_t next = 0;
  for (const auto& [number, bytes] : parts) {
    if (number != next++) break;
    whole.insert(whole.end(), bytes.begin(), bytes.end());
  }
  ByteReader reader(whole);
  const auto size = reader.get<std::uint32_t>();
  if (!reader.ok() || reader.left() != size)
    return fail(ErrorCode::kCorrupt, "parts of the definition of collection %u are missing", id);
  return CollectionDefinition::decode(reader.get_bytes(size), id);
}

LostRange lost_range(const TreeLoss& loss, std::string why) {
  LostRange range;
  range.low = to_vector(loss.low);
  if (loss.high) range.high = to_vector(*loss.high);
  range.count = loss.entries;
  range.ptr = loss.ptr;
  range.level = loss.level;
  range.why = std::move(why);
  return range;
}

}  // namespace

const ContentsSalvager::Lost* ContentsSalvager::Vectors::find(std::uint64_t number) const noexcept {
  for (const Lost& part : lost)
    if (number >= part.first && number < part.end) return &part;
  return nullptr;
}

std::string ContentsSalvager::why_lost(const Error& why, std::optional<PageNumber> parent,
                                       const char* root_of) const {
  const std::string& text = why.message();
  if (parent) return text + "; page " + std::to_string(*parent) + " points to it";
  return text + "; " + root_of + " points to it";
}

bool ContentsSalvager::is_free(PageNumber page) const {
  if (!base_.free) return false;
  const auto after =
      std::ranges::upper_bound(*base_.free, page, std::ranges::less{}, &PageRun::first);
  if (after == base_.free->begin()) return false;
  const PageRun& run = *std::prev(after);
  return page < run.first + run.pages;
}

std::string ContentsSalvager::free_name(std::string name, StructureId id) {
  const auto taken = txn_.find_name(name);
  if (taken && !*taken) return name;
  return name.substr(0, kMaxNameSize - 24) + "-recovered-" + std::to_string(id);
}

void ContentsSalvager::lose_whole(const SalvageTarget& target, std::string text, PageNumber page,
                                  std::uint64_t entries) {
  events_.push_back({.kind = Kind::kLost,
                     .subject = target.subject,
                     .name = target.name,
                     .text = std::move(text),
                     .page = page,
                     .lost_least = entries == kUnknownCount ? 0 : entries,
                     .lost_most = entries});
}

Result<SalvageTargets> ContentsSalvager::run() {
  QUIRE_TRY(reader_, files_.reader_for(base_.root));
  QUIRE_CHECK(read_catalog());
  adopt_nameless();
  for (const auto& [name, entry] : catalog_.names) {
    // What the library remembers names collections by ids that they have no more.
    if (is_internal_name(name)) continue;
    QUIRE_CHECK(entry.kind == NameKind::kKeyspace ? salvage_keyspace(name, entry.id)
                                                  : salvage_collection(name, entry.id));
  }
  return std::move(targets_);
}

// --- the catalog ---

Status ContentsSalvager::read_catalog() {
  std::unordered_set<PageNumber> reached;
  SalvageTarget catalog{.subject = Subject::kDatabase};
  const auto keep = [this](Bytes key, Bytes value) { return keep_catalog_entry(key, value); };
  const TreeSalvage walk{
      .on_entry = keep,
      .on_loss = [&](const TreeLoss& loss) -> Status {
        catalog.lost.push_back(lost_range(loss, why_lost(*loss.why, loss.parent, "the root")));
        return {};
      },
      .on_node = [&](PageNumber page) { reached.insert(page); }};
  QUIRE_CHECK(tree_salvage(reader_, base_.root.catalog_tree(), walk));
  if (unverified_) QUIRE_CHECK(take_strays(catalog, kCatalogId, true, reached, keep));
  for (const LostRange& range : catalog.lost) {
    if (range.most() == 0) continue;
    catalog_.lost += range.most();
    lose_whole(catalog,
               std::to_string(range.most()) +
                   " entries of the catalog, which has names, definitions and roots of keyspaces "
                   "and collections, are lost: " +
                   range.why,
               range.ptr.page, 0);
  }
  return {};
}

Status ContentsSalvager::keep_catalog_entry(Bytes key, Bytes value) {
  const char kind = key.empty() ? '\0' : static_cast<char>(key[0]);
  if (kind == 'i' && key.size() == 5) {
    const auto id = load_be<std::uint32_t>(key.data() + 1);
    if (const auto entry = CatalogEntry::decode(value, id)) catalog_.entries.emplace(id, *entry);
  } else if (kind == 'n') {
    const std::string name(as_text(key.subspan(1)));
    if (const auto entry = NameEntry::decode(value, name)) catalog_.names.emplace(name, *entry);
  } else if (kind == 's' && (key.size() == 5 || key.size() == 7)) {
    const auto id = load_be<std::uint32_t>(key.data() + 1);
    const std::uint32_t part = key.size() == 5 ? 0 : load_be<std::uint16_t>(key.data() + 5);
    catalog_.parts[id].emplace(part, to_vector(value));
  }
  return {};
}

// What has lost its name gets one: a collection knows its own.
void ContentsSalvager::adopt_nameless() {
  std::unordered_set<StructureId> named;
  for (const auto& [name, entry] : catalog_.names) named.insert(entry.id);
  const auto adopt = [&](std::string name, NameKind kind, StructureId id) {
    while (catalog_.names.contains(name)) name += "-recovered-" + std::to_string(id);
    const SalvageTarget target{
        .subject = kind == NameKind::kKeyspace ? Subject::kKeyspace : Subject::kCollection,
        .name = name};
    lose_whole(target,
               std::string("the name of the ") +
                   (kind == NameKind::kKeyspace ? "keyspace" : "collection") + " with id " +
                   std::to_string(id) + " is lost; it is saved as '" + name + "'",
               0, 0);
    catalog_.names.emplace(name, NameEntry{kind, id});
  };
  for (const auto& [id, parts] : catalog_.parts) {
    if (named.contains(id)) continue;
    if (const auto definition = put_definition_together(parts, id))
      adopt(definition->name, NameKind::kCollection, id);
  }
  for (const auto& [id, entry] : catalog_.entries)
    if (entry.flags == CatalogEntry::kKeyspace && !named.contains(id))
      adopt("recovered-" + std::to_string(id), NameKind::kKeyspace, id);
}

// --- trees ---

Status ContentsSalvager::salvage_tree(SalvageTarget& target, StructureId id,
                                      const OnEntry& on_entry) {
  std::unordered_set<PageNumber> reached;
  const auto entry = catalog_.entries.find(id);
  if (entry == catalog_.entries.end() || entry->second.kind != StructureKind::kTree) {
    LostRange all;
    all.why = "the catalog's entry of structure " + std::to_string(id) + ", which says where " +
              (target.is_keyspace() ? "the keys" : "the records") + " are, is lost";
    target.lost.push_back(std::move(all));
  } else {
    const TreeSalvage walk{.on_entry = on_entry,
                           .on_loss = [&](const TreeLoss& loss) -> Status {
                             std::string why = why_lost(*loss.why, loss.parent, "the catalog");
                             if (loss.value) {
                               target.lose_one(loss.low, loss.ptr, "its value: " + why);
                               return {};
                             }
                             target.lost.push_back(lost_range(loss, std::move(why)));
                             return {};
                           },
                           .on_node = [&](PageNumber page) { reached.insert(page); }};
    QUIRE_CHECK(tree_salvage(reader_, entry->second.tree(id), walk));
  }
  if (!unverified_ || target.lost.empty()) return {};
  return take_strays(target, id, false, reached, on_entry);
}

// Where the free map of the state is known, a page that is neither free nor reached by a good
// pointer belongs to what is lost, and it is the newest of its kind: pages of older states are free
// there, and what came later only went to free pages. Without the free map it may be older; then
// the youngest comes first, and no key is taken twice.
Status ContentsSalvager::take_strays(SalvageTarget& target, StructureId id, bool catalog,
                                     const std::unordered_set<PageNumber>& reached,
                                     const OnEntry& on_entry) {
  QUIRE_TRY(const auto* nodes, files_.strays());
  std::vector<StrayNode> leaves;
  for (const StrayNode& node : *nodes) {
    if (node.tree == id && node.level == 0 && node.catalog_leaf == catalog &&
        !reached.contains(node.page) && !is_free(node.page) && node.page < base_.root.page_count &&
        node.birth <= base_.root.txn)
      leaves.push_back(node);
  }
  std::ranges::sort(leaves, std::ranges::greater{}, &StrayNode::birth);
  for (const StrayNode& leaf : leaves) QUIRE_CHECK(take_stray(target, leaf, on_entry));
  return {};
}

// The lost range that a leaf belongs into: it is the damaged page itself, as it was made last, or
// lies under a branch that is lost.
LostRange* ContentsSalvager::range_of(SalvageTarget& target, const StrayNode& stray,
                                      const NodeView& leaf) const {
  KeyBuffer first;
  KeyBuffer last;
  leaf.key_of(0, first);
  leaf.key_of(leaf.count() - 1, last);
  for (LostRange& range : target.lost) {
    if (!range.covers({first.data(), first.size()}) || !range.covers({last.data(), last.size()}))
      continue;
    if (range.ptr && range.level == 0) {
      if (range.ptr.page == stray.page && range.ptr.birth == stray.birth) return &range;
    } else if (!range.ptr || stray.birth <= range.ptr.birth) {
      return &range;
    }
  }
  return nullptr;
}

Status ContentsSalvager::take_stray(SalvageTarget& target, const StrayNode& stray,
                                    const OnEntry& on_entry) {
  ByteVector bytes;
  if (!files_.read_page(stray.page, bytes) || !tree_check_node(bytes, stray.tree)) return {};
  const NodeView leaf(bytes.data(), files_.page_size());
  LostRange* const found = range_of(target, stray, leaf);
  if (found == nullptr) return {};
  const auto range = static_cast<std::size_t>(found - target.lost.data());
  const std::uint64_t before = found->saved;
  std::uint64_t taken = 0;
  const TreeSalvage walk{.on_entry = [&](Bytes key, Bytes value) -> Status {
                           const LostRange& into = target.lost[range];
                           if (into.count && into.saved >= *into.count) return {};
                           const std::size_t lost = target.lost.size();
                           auto kept = on_entry(key, value);
                           if (!kept && kept.error().code() == ErrorCode::kExists) return {};
                           QUIRE_CHECK(kept);
                           if (target.lost.size() != lost) {  // it was lost all the same
                             target.lost.resize(lost);
                             target.lost[range].named.insert(to_vector(key));
                             return {};
                           }
                           ++target.lost[range].saved;
                           ++taken;
                           return {};
                         },
                         .on_loss = [](const TreeLoss&) -> Status { return {}; },
                         .on_node = nullptr};
  in_stray_ = true;
  const Status walked = tree_salvage_leaf(reader_, bytes, walk);
  in_stray_ = false;
  QUIRE_CHECK(walked);
  if (target.lost[range].saved == before) return {};
  SalvageEvent event{.kind = Kind::kUnverified,
                     .subject = target.subject,
                     .name = target.name,
                     .page = stray.page,
                     .saved = taken};
  event.text = std::to_string(taken) + " entries are taken from page " +
               std::to_string(stray.page) + " of transaction " + std::to_string(stray.birth) +
               ", which no checksum vouches for" +
               (base_.free ? "" : "; they may be older than what was lost, or deleted since");
  events_.push_back(std::move(event));
  return {};
}

Status ContentsSalvager::salvage_keyspace(const std::string& name, StructureId id) {
  SalvageTarget target{.subject = Subject::kKeyspace, .name = free_name(name, id)};
  auto made = txn_.create_keyspace(target.name);
  if (is_fatal(made)) return std::unexpected(made.error());
  if (!made) {
    lose_whole(target, "it can't be made: " + made.error().message(), 0, kUnknownCount);
    return {};
  }
  target.id = *made;
  QUIRE_CHECK(salvage_tree(target, id, [&](Bytes key, Bytes value) -> Status {
    auto put = txn_.put(target.id, key, value, TreeWriter::PutMode::kInsert);
    if (put) return {};
    if (is_fatal(put) || put.error().code() == ErrorCode::kExists)
      return std::unexpected(put.error());
    target.lose_one(key, {}, put.error().message());
    return {};
  }));
  targets_.emplace(id, std::move(target));
  return {};
}

// --- collections ---

Status ContentsSalvager::salvage_collection(const std::string& name, StructureId id) {
  SalvageTarget target{.subject = Subject::kCollection, .name = free_name(name, id)};
  const auto parts = catalog_.parts.find(id);
  const auto definition = put_definition_together(
      parts == catalog_.parts.end() ? std::map<std::uint32_t, ByteVector>{} : parts->second, id);
  const auto entry = catalog_.entries.find(id);
  const std::uint64_t records =
      entry == catalog_.entries.end() ? kUnknownCount : entry->second.root.count;
  if (!definition) {
    lose_whole(target,
               "its definition is lost, and so are its records: " + definition.error().message(), 0,
               records);
    return {};
  }
  auto made = Collection::create(txn_, target.name, definition->schema);
  if (is_fatal(made)) return std::unexpected(made.error());
  if (!made) {
    lose_whole(target, "it can't be made: " + made.error().message(), 0, records);
    return {};
  }
  target.id = made->id();
  target.collection = *made;
  target.indexes = definition->indexes;
  QUIRE_CHECK(salvage_records(target, id, *definition));
  targets_.emplace(id, std::move(target));
  return {};
}

Status ContentsSalvager::open_vectors(const SalvageTarget& target,
                                      const CollectionDefinition& definition,
                                      std::vector<Vectors>& vectors) {
  const Schema& schema = definition.schema;
  for (std::size_t place = 0; place < definition.vectors.size(); ++place) {
    Vectors& field = vectors.emplace_back();
    const StructureId id = definition.vectors[place];
    const auto entry = catalog_.entries.find(id);
    const std::uint32_t bytes = schema.field(schema.vectors()[place]).vector_bytes();
    if (entry == catalog_.entries.end() || entry->second.kind != StructureKind::kArray ||
        entry->second.element_size != bytes) {
      field.why = "the catalog's entry of structure " + std::to_string(id) +
                  ", which says where they are, is lost";
      continue;
    }
    const std::string name = schema.field(schema.vectors()[place]).name;
    const ArrayRoot array = entry->second.array(id);
    QUIRE_CHECK(array_salvage(reader_, array, [&](const ArrayLoss& loss) -> Status {
      field.lost.push_back(
          {loss.first, loss.end, loss.ptr, why_lost(*loss.why, loss.parent, "the catalog")});
      lose_whole(target,
                 "vectors '" + name + "' of the record numbers " + std::to_string(loss.first) +
                     " to " + std::to_string(loss.end - 1) + " are lost: " + field.lost.back().why,
                 loss.ptr.page, 0);
      return {};
    }));
    field.view.emplace(reader_, array);
  }
  return {};
}

Status ContentsSalvager::salvage_records(SalvageTarget& target, StructureId id,
                                         const CollectionDefinition& definition) {
  std::vector<Vectors> vectors;
  QUIRE_CHECK(open_vectors(target, definition, vectors));
  numbers_.reset();
  const auto numbers = catalog_.entries.find(definition.numbers);
  if (numbers != catalog_.entries.end() && numbers->second.kind == StructureKind::kTree)
    numbers_ = numbers->second.tree(definition.numbers);
  QUIRE_CHECK(salvage_tree(
      target, id, [&](Bytes key, Bytes row) { return restore(target, vectors, key, row); }));
  return name_lost_records(target, definition);
}

// Whether a number is still that of this record, as far as can be told: a stray row may be older
// than another record that got its number.
bool ContentsSalvager::owns_number(RecordNumber number, Bytes key) {
  if (!in_stray_ || !numbers_) return true;
  const auto bytes = tree_get(reader_, *numbers_, NumberKey(number));
  if (!bytes || !*bytes) return !bytes;  // unreadable: nothing speaks against it
  const auto entry = decode_number_entry(**bytes, number);
  return !entry || (entry->in_use && equal_bytes(entry->key, key));
}

Status ContentsSalvager::restore(SalvageTarget& target, std::vector<Vectors>& vectors, Bytes key,
                                 Bytes bytes) {
  const Schema& schema = target.collection->schema();
  const auto row = RowView::parse(schema, bytes);
  if (!row) {
    target.lose_one(key, {}, row.error().message());
    return {};
  }
  std::vector<Value> values(schema.size());
  for (std::size_t i = 0; i < schema.size(); ++i) values[i] = row->value(i);
  EncodedKey own;
  encode_key_of(*row, own);
  if (!equal_bytes(bytes_of(own), key)) {
    target.lose_one(key, {}, "the key in its row is another");
    return {};
  }
  std::set<FieldId> without;
  std::string why;
  PagePtr damaged;
  for (std::uint32_t place = 0; place < vectors.size(); ++place) {
    const std::uint32_t field = schema.vectors()[place];
    if (row->is_null(field)) continue;
    Vectors& from = vectors[place];
    const Lost* const lost = from.find(row->number());
    const std::byte* at = nullptr;
    if (lost == nullptr && from.view && owns_number(row->number(), key))
      at = row->number() < from.view->size() ? from.view->at(row->number()) : nullptr;
    if (at != nullptr) {
      values[field] = Value::of_vector(schema.field(field).type, at, schema.field(field).dimension);
      continue;
    }
    values[field] = Value::null();
    without.insert(schema.field(field).id);
    if (schema.field(field).nullable) continue;
    why = "its vector '" + schema.field(field).name + "' is lost" +
          (lost != nullptr    ? ": " + lost->why
           : from.why.empty() ? ""
                              : ": " + from.why);
    if (lost != nullptr) damaged = lost->ptr;
  }
  if (!why.empty()) {
    target.lose_one(key, damaged, why);
    return {};
  }
  const auto inserted = insert_record(txn_, *target.collection, values);
  if (!inserted) {
    if (is_fatal(inserted) || inserted.error().code() == ErrorCode::kExists) return inserted;
    target.lose_one(key, {}, inserted.error().message());
    return {};
  }
  if (!without.empty()) target.without.emplace(to_vector(key), std::move(without));
  return {};
}

// The tree of numbers has each record's key once more: so those whose rows are lost can be named.
Status ContentsSalvager::name_lost_records(SalvageTarget& target,
                                           const CollectionDefinition& definition) {
  const auto tell = [&](const char* tree, const TreeLoss& loss) {
    events_.push_back({.kind = Kind::kNote,
                       .subject = target.subject,
                       .name = target.name,
                       .text = std::string("its tree of ") + tree +
                               " is damaged, which loses nothing (it is made anew): " +
                               why_lost(*loss.why, loss.parent, "the catalog"),
                       .page = loss.ptr.page});
  };
  const auto name_one = [&](Bytes key, Bytes value) -> Status {
    if (key.size() != 8) return {};
    const auto entry = decode_number_entry(value, load_be<std::uint64_t>(key.data()));
    if (!entry || !entry->in_use) return {};
    for (LostRange& range : target.lost) {
      if (!range.covers(entry->key)) continue;
      const auto there = tree_get(txn_.reader(), *txn_.tree_root(target.id), entry->key);
      if (there && !*there) range.named.insert(to_vector(entry->key));
    }
    return {};
  };
  const auto walk = [&](StructureId id, const char* tree, const OnEntry& on_entry) -> Status {
    const auto entry = catalog_.entries.find(id);
    if (entry == catalog_.entries.end() || entry->second.kind != StructureKind::kTree) return {};
    return tree_salvage(reader_, entry->second.tree(id),
                        {.on_entry = on_entry,
                         .on_loss = [&](const TreeLoss& loss) -> Status {
                           tell(tree, loss);
                           return {};
                         },
                         .on_node = nullptr});
  };
  const auto ignore = [](Bytes, Bytes) -> Status { return {}; };
  QUIRE_CHECK(
      walk(definition.numbers, "record numbers", target.lost.empty() ? OnEntry(ignore) : name_one));
  return walk(definition.freed, "freed numbers", ignore);
}

}  // namespace quire
