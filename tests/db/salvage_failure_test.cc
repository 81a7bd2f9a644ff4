// Salvage where the disk fails, where it is stopped, where the catalog is lost and where the log
// changes what is lost: whatever happens, nothing half made is left, and the counts are right.
#include <gtest/gtest.h>

#include "engine/db/salvage_ledger.h"
#include "tests/db/salvage_world.h"

namespace quire::test::salvaging {
namespace {

// --- failures ---

// Pages, a log behind them, a long value, a collection; the meta pages as asked for.
std::unique_ptr<SimulatedDisk> crashed_database(State& state, bool metas_lost, bool archive) {
  auto disk = std::make_unique<SimulatedDisk>(1);
  auto database = open(*disk, archive);
  const auto change = [&](int first, int last) {
    commit(*database, [&](WriteTxn& txn, StructureId goods) {
      for (int i = first; i < last; ++i) {
        const std::string value(i % 20 == 7 ? 1500 : 30, static_cast<char>('a' + i % 26));
        put(txn, goods, key_of(i), value);
        state["goods"][key_of(i)] = value;
      }
    });
  };
  change(0, 60);
  must(database->checkpoint());
  change(50, 70);
  database->crash();
  if (metas_lost) spoil_metas(*disk);
  return disk;
}

void expect_part_of(const State& truth, const Salvaged& salvaged, const std::string& where) {
  if (salvaged.totals.complete) {
    EXPECT_EQ(difference(truth, salvaged.state), "") << where;
    return;
  }
  if (!salvaged.state.contains("goods")) return;
  for (const auto& [key, value] : salvaged.state.at("goods")) {
    const auto there = truth.at("goods").find(key);
    ASSERT_NE(there, truth.at("goods").end()) << where << ": " << key;
    // One that the log wrote again may be as it was before, if the log is said to be lost.
    EXPECT_EQ(value.size(), there->second.size()) << where << ": " << key;
  }
}

// `arm` makes the n-th operation or look fail; ends at the first that the salvage does not come to.
void fail_each(const SimulatedDisk& damaged, const State& truth,
               const std::function<void(SimulatedDisk&, std::uint64_t)>& arm,
               const std::function<std::uint64_t(const SimulatedDisk&)>& now) {
  std::uint64_t failed = 0;
  for (std::uint64_t n = 1;; ++n) {
    const auto disk = damaged.survivor(1, Survival::kEverything);
    const std::uint64_t at = now(*disk) + n;
    arm(*disk, at);
    SalvageOptions options;
    options.database = small_database();
    const auto totals = salvage(*disk, kDatabasePath, kSaved, options, {});
    const bool reached = now(*disk) >= at;
    if (!reached) break;
    const std::string where = "number " + std::to_string(n);
    if (totals) {
      const auto again = try_salvage(*disk->survivor(1, Survival::kEverything));
      EXPECT_EQ(code_of(again), ErrorCode::kExists) << where;
      DatabaseOptions existing = small_database();
      existing.create = false;
      existing.page_size = 0;  // a guess, where no meta page could be read
      const auto database = Database::open(*disk, kSaved, existing);
      ASSERT_TRUE(database.has_value()) << where << ": " << words_of(database);
      EXPECT_EQ(damages(**database), "") << where;
      Salvaged salvaged{.totals = *totals, .events = {}, .state = {}};
      salvaged.state = must(read_all(*must((*database)->begin_read())));
      expect_part_of(truth, salvaged, where);
    } else {
      ++failed;
      EXPECT_TRUE(code_of(totals) == ErrorCode::kIo || code_of(totals) == ErrorCode::kFull)
          << where << ": " << words_of(totals);
      EXPECT_FALSE(must(disk->exists(kSaved))) << where << ": " << words_of(totals);
      // What was damaged is as it was.
      expect_part_of(truth, must(try_salvage(*disk)), where);
    }
  }
  EXPECT_GT(failed, 5u);
}

TEST(SalvageFailure, AnyOperationOfTheDiskEndsItAndLeavesNothing) {
  for (const bool metas_lost : {false, true}) {
    State state;
    const auto disk = crashed_database(state, metas_lost, false);
    for (const io::FaultKind kind :
         {io::FaultKind::kIo, io::FaultKind::kFull, io::FaultKind::kShortWrite}) {
      fail_each(
          *disk, state, [kind](SimulatedDisk& d, std::uint64_t at) { d.fail_at(at, kind); },
          [](const SimulatedDisk& d) { return d.operations(); });
    }
  }
}

TEST(SalvageFailure, AnyLookAtTheDiskIsAnErrorOrALossThatIsTold) {
  for (const bool metas_lost : {false, true}) {
    for (const bool archive : {false, true}) {
      State state;
      const auto disk = crashed_database(state, metas_lost, archive);
      fail_each(
          *disk, state, [](SimulatedDisk& d, std::uint64_t at) { d.fail_look_at(at); },
          [](const SimulatedDisk& d) { return d.looks(); });
    }
  }
}

TEST(SalvageFailure, WithoutTheDataItTakesTheLogAlone) {
  for (const bool archive : {false, true}) {
    State state;
    const auto disk = crashed_database(state, false, archive);
    must(disk->remove(kData));
    const auto salvaged = try_salvage(*disk);
    ASSERT_TRUE(salvaged.has_value()) << words_of(salvaged);
    // All there ever was is in it: it never grew over its first segments.
    EXPECT_EQ(difference(state, salvaged->state), "") << salvaged->words();
    const auto without_log = disk->survivor(1, Survival::kEverything);
    must(without_log->remove(kSaved + std::string("/lock")));
    for (const std::string& name : must(without_log->list(kLog)))
      must(without_log->remove(kLog + "/" + name));
    SalvageOptions options;
    const auto nothing = salvage(*without_log, kDatabasePath, "/other.quire", options, {});
    EXPECT_EQ(code_of(nothing), ErrorCode::kNotDatabase) << words_of(nothing);
    must(without_log->remove(kLog));
    const auto less = salvage(*without_log, kDatabasePath, "/other.quire", options, {});
    EXPECT_EQ(code_of(less), ErrorCode::kNotDatabase) << words_of(less);
  }
}

TEST(SalvageFailure, StoppedAtAnyWordLeavesNothing) {
  State state;
  const auto disk = crashed_database(state, true, false);
  for (int words = 0;; ++words) {
    const auto copy = disk->survivor(1, Survival::kEverything);
    int said = 0;
    const auto totals = salvage(*copy, kDatabasePath, kSaved, {},
                                [&](const SalvageEvent&) { return said++ < words; });
    EXPECT_EQ(must(copy->exists(kSaved)), totals.has_value());
    if (totals) break;
    EXPECT_EQ(code_of(totals), ErrorCode::kCancelled) << words_of(totals);
  }
}

// --- the catalog ---

// Keyspaces and collections until the catalog has several leaves.
constexpr int kSpaces = 30;
std::string space_of(int i) { return "space-" + std::to_string(100 + i); }
std::string books_of(int i) { return "books-" + std::to_string(100 + i); }

std::unique_ptr<SimulatedDisk> with_many_names() {
  auto disk = std::make_unique<SimulatedDisk>(1);
  const auto database = open(*disk);
  const auto txn = must(database->begin_write(true));
  const Schema schema =
      must(Schema::make({{"id", FieldType::kI64}, {"place", FieldType::kVectorF32, true, 2}}, 0));
  const float place[2] = {1, 2};
  for (int i = 0; i < kSpaces; ++i) {
    const StructureId id = must(txn->create_keyspace(space_of(i)));
    put(*txn, id, "own", space_of(i));
    if (i % 3 != 0) continue;
    const Collection books = must(Collection::create(*txn, books_of(i), schema));
    const std::array<Value, 2> values = {Value::of_i64(i), Value::of_vector(place, 2)};
    must(insert_record(*txn, books, values));
  }
  must(database->writer()->commit(*txn, Durability::kAlways));
  must(database->close());
  return disk;
}

// Each keyspace is saved under its name, under a name that is said, or said to be lost; and has
// what it had.
TEST(SalvageFailure, EachPageOfTheCatalogCostsNamesThatAreSaid) {
  const auto whole = with_many_names();
  std::size_t pages = 0;
  std::size_t renamed = 0;
  for (PageNumber page = kFirstPage; page < pages_of(*whole); ++page) {
    const NodeHeader header = header_of(*whole, page);
    if (header.page != page || header.tree != kCatalogId) continue;
    for (const bool unverified : {false, true}) {
      const auto disk = whole->survivor(1, Survival::kEverything);
      // In a leaf: a byte of an entry, so that it can be had unverified.
      spoil(*disk, std::uint64_t{page + 1} * kPage - 20, "x");
      const auto tried = try_salvage(*disk, unverified);
      ASSERT_TRUE(tried.has_value()) << words_of(tried);
      const Salvaged& salvaged = *tried;
      if (salvaged.totals.complete) continue;  // of an older state
      ++pages;
      const std::string words = salvaged.words();
      EXPECT_NE(words.find(unverified ? "no checksum vouches" : "of the catalog"),
                std::string::npos)
          << words;
      for (const auto& [name, keys] : salvaged.state) {
        if (keys.empty()) continue;
        const bool own = keys.contains("own") && keys.at("own") == name;
        if (own || unverified) continue;
        ++renamed;
        EXPECT_TRUE(name.starts_with("recovered-")) << name;
        EXPECT_NE(words.find("is saved as '" + name + "'"), std::string::npos) << words;
      }
    }
  }
  EXPECT_GT(pages, 6u);
  EXPECT_GT(renamed, 3u);
}

// Two meta pages, the root of the catalog, and pages by chance: it is all in the wrecks of the
// corruption campaign; here that a collection is never taken for another.
TEST(SalvageFailure, ManyPagesAtOnceNeverMixUpRecords) {
  const auto whole = with_many_names();
  Random random(5);
  for (int round = 0; round < 150; ++round) {
    const auto disk = whole->survivor(1, Survival::kEverything);
    const std::uint64_t count = 1 + random() % 12;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t page = kFirstPage + random() % (pages_of(*whole) - kFirstPage);
      spoil(*disk, page * kPage + random() % kPage, "?");
    }
    const auto salvaged = try_salvage(*disk, round % 2 == 0);
    ASSERT_TRUE(salvaged.has_value()) << words_of(salvaged);
    DatabaseOptions existing = small_database();
    existing.create = false;
    const auto database = must(Database::open(*disk, kSaved, existing));
    const auto snapshot = must(database->begin_read());
    for (const CollectionInfo& info : must(Collection::list(*snapshot))) {
      RecordReader reader(*snapshot, must(Collection::open(*snapshot, info.id)));
      RecordScan scan = must(RecordScan::open(reader, nullptr, nullptr));
      std::array<Value, 2> values;
      std::uint64_t records = 0;
      while (must(scan.next(values))) {
        ++records;
        // An unverified page may have any number, but is of this collection.
        if (round % 2 == 0 || !info.name.starts_with("books-")) continue;
        EXPECT_TRUE(info.name.starts_with(books_of(static_cast<int>(values[0].i64)))) << info.name;
      }
      EXPECT_LE(records, 1u);
    }
  }
}

// --- what the log does to what is lost ---

// The leaf with key_of(0) is lost; then the log has erased `low` to `high`.
struct Erased {
  std::optional<std::string> low;
  std::optional<std::string> high;
};
std::optional<Salvaged> salvage_after_erasing(const Erased& range) {
  SimulatedDisk disk(1);
  auto database = open(disk);
  fill(*database, 1);
  must(database->checkpoint());
  const auto pages = pages_of(disk);
  commit(*database, [&](WriteTxn& txn, StructureId goods) {
    const auto bytes = [](const std::optional<std::string>& key) -> std::optional<Bytes> {
      return key ? std::optional(as_bytes(*key)) : std::nullopt;
    };
    must(txn.erase_range(goods, bytes(range.low), bytes(range.high)));
  });
  database->crash();
  for (PageNumber page = kFirstPage; page < pages; ++page) {
    const NodeHeader header = header_of(disk, page);
    if (header.page != page || header.kind != static_cast<std::uint8_t>(PageKind::kLeaf)) continue;
    const auto copy = disk.survivor(1, Survival::kEverything);
    spoil(*copy, std::uint64_t{page} * kPage + 200, "xyz");
    Salvaged salvaged = must(try_salvage(*copy));
    const auto lost = std::ranges::find_if(salvaged.events, [](const SalvageEvent& event) {
      return event.kind == Kind::kLost && event.low.has_value() && event.low->empty();
    });
    if (lost != salvaged.events.end()) return salvaged;
  }
  return std::nullopt;
}

TEST(SalvageFailure, ARangeThatTheLogErasedIsNoLoss) {
  // All that is lost lies in it, with an end of its own and without.
  EXPECT_FALSE(salvage_after_erasing({std::nullopt, std::nullopt}));
  EXPECT_FALSE(salvage_after_erasing({std::nullopt, key_of(250)}));
  EXPECT_FALSE(salvage_after_erasing({std::string(1, '\0'), std::nullopt}) &&
               salvage_after_erasing({std::nullopt, key_of(290)}));
  // A part of it: how many is not known.
  for (const Erased& range : {Erased{std::nullopt, key_of(1)}, Erased{key_of(1), std::nullopt},
                              Erased{key_of(1), key_of(2)}}) {
    const auto salvaged = salvage_after_erasing(range);
    ASSERT_TRUE(salvaged.has_value());
    EXPECT_EQ(salvaged->totals.lost_least, 0u) << salvaged->words();
    EXPECT_GT(salvaged->totals.lost_most, 0u) << salvaged->words();
    EXPECT_NE(salvaged->words().find("0 to "), std::string::npos) << salvaged->words();
  }
  // Nothing of it.
  const auto apart = salvage_after_erasing({key_of(200), key_of(210)});
  ASSERT_TRUE(apart.has_value());
  EXPECT_EQ(apart->totals.lost_least, apart->totals.lost_most) << apart->words();
  const auto behind = salvage_after_erasing({key_of(290), std::nullopt});
  ASSERT_TRUE(behind.has_value());
  EXPECT_EQ(behind->totals.lost_least, behind->totals.lost_most) << behind->words();
}

// Records at the checkpoint; in the log behind it titles change (the log has no vector then),
// vectors change, are taken away, and records and collections come and go.
constexpr std::uint32_t kLarge = 50;
std::unique_ptr<SimulatedDisk> with_log_of_books(bool nullable, State& titles) {
  auto disk = std::make_unique<SimulatedDisk>(1);
  const auto database = open(*disk);
  const Schema schema = must(Schema::make({{"id", FieldType::kText},
                                           {"title", FieldType::kText, true},
                                           {"place", FieldType::kVectorF32, nullable, kLarge}},
                                          0));
  std::vector<float> place(kLarge, 1);
  const auto vector = [&] { return Value::of_vector(place.data(), kLarge); };
  const auto change = [&](const std::function<void(WriteTxn&, const Collection&)>& what) {
    const auto txn = must(database->begin_write(true));
    const auto there = must(txn->find_name("books"));
    what(*txn, there ? must(Collection::open(*txn, there->id))
                     : must(Collection::create(*txn, "books", schema)));
    must(database->writer()->commit(*txn, Durability::kAlways));
  };
  const auto set_title = [&](WriteTxn& txn, const Collection& books, int i) {
    const std::string title = "new title " + std::to_string(i);
    const std::uint32_t field = 1;
    const Value value = Value::of_text(title);
    must(update_record(txn, books, Value::of_text(key_of(i)), {&field, 1}, {&value, 1}));
    titles["books"][key_of(i)] = title;
  };
  change([&](WriteTxn& txn, const Collection& books) {
    for (int i = 0; i < 40; ++i) {
      const std::string id = key_of(i);
      const std::array<Value, 3> values = {Value::of_text(id), Value::of_text("old"), vector()};
      must(insert_record(txn, books, values));
      titles["books"][id] = "old";
    }
    must(Collection::create(txn, "gone", schema));
    must(txn.create_keyspace("gone too"));
  });
  // The log's first segment is used up and goes: what is lost can't be had from it.
  for (int i = 0; i < 20; ++i)
    commit(*database,
           [](WriteTxn& txn, StructureId goods) { put(txn, goods, "x", std::string(900, 'x')); });
  must(database->checkpoint());
  change([&](WriteTxn& txn, const Collection& books) {
    for (int i = 0; i < 40; i += 3) set_title(txn, books, i);
    for (int i = 1; i < 40; i += 9) {
      must(erase_record(txn, books, Value::of_text(key_of(i))));
      titles["books"].erase(key_of(i));
    }
    const std::uint32_t field = 2;
    for (int i = 2; i < 40; i += 9) {
      const Value value = nullable && i % 2 == 0 ? Value::null() : vector();
      must(update_record(txn, books, Value::of_text(key_of(i)), {&field, 1}, {&value, 1}));
    }
  });
  change([&](WriteTxn& txn, const Collection&) {
    must(must(Collection::open(txn, "gone")).drop(txn));
    must(txn.drop_keyspace(must(txn.find_name("gone too"))->id));
    must(txn.drop_keyspace(must(txn.find_name("goods"))->id));
    must(txn.create_keyspace("goods"));
    const Collection more = must(Collection::create(txn, "more", schema));
    const std::array<Value, 3> values = {Value::of_text("a"), Value::null(), vector()};
    must(insert_record(txn, more, values));
  });
  change([&](WriteTxn& txn, const Collection& books) { set_title(txn, books, 4); });
  database->crash();
  return disk;
}

Keys titles_in(io::Disk& disk) {
  const SavedBooks books(disk);
  Keys titles;
  books.for_each([&](std::span<const Value> values) {
    titles.emplace(as_text(values[0].bytes),
                   values[1].is_null() ? "(null)" : as_text(values[1].bytes));
  });
  EXPECT_TRUE(must(books.snapshot().find_name("more")).has_value());
  EXPECT_FALSE(must(books.snapshot().find_name("gone")).has_value());
  EXPECT_FALSE(must(books.snapshot().find_name("gone too")).has_value());
  return titles;
}

TEST(SalvageFailure, RecordsThatTheLogChangesAreRightOrLost) {
  for (const bool nullable : {false, true}) {
    State truth;
    const auto whole = with_log_of_books(nullable, truth);
    std::size_t with_losses = 0;
    for (PageNumber page = kFirstPage; page < pages_of(*whole); ++page) {
      if (header_of(*whole, page).tree == kCatalogId) continue;
      for (const bool unverified : {false, true}) {
        const auto disk = whole->survivor(1, Survival::kEverything);
        spoil(*disk, std::uint64_t{page + 1} * kPage - 25, "xyz");
        const Salvaged salvaged = must(try_salvage(*disk, unverified));
        const Keys titles = titles_in(*disk);
        const std::string words = "page " + std::to_string(page) + ":\n" + salvaged.words();
        for (const auto& [id, title] : titles) {
          const auto there = truth["books"].find(id);
          ASSERT_TRUE(there != truth["books"].end() || unverified) << id << ", " << words;
          if (unverified) continue;
          EXPECT_EQ(title, there->second) << id << ", " << words;
        }
        const std::size_t records = truth["books"].size();
        EXPECT_GE(titles.size() + salvaged.totals.lost_most, records) << words;
        if (!unverified) {
          EXPECT_LE(titles.size() + salvaged.totals.lost_least, records) << words;
        }
        if (salvaged.totals.complete) {
          EXPECT_EQ(titles.size(), records) << words;
        }
        with_losses += salvaged.totals.complete ? 0 : 1;
      }
    }
    EXPECT_GT(with_losses, 10u);
  }
}

SalvageTarget target_with(const std::string& low, const std::optional<std::string>& high,
                          std::optional<std::uint64_t> count) {
  SalvageTarget target{.name = "goods"};
  LostRange range;
  range.low = to_vector(as_bytes(low));
  if (high) range.high = to_vector(as_bytes(*high));
  range.count = count;
  range.why = "why";
  target.lost.push_back(std::move(range));
  return target;
}
std::string words_about(const SalvageTarget& target) {
  std::string all;
  for (const SalvageEvent& event : closing_events(target, 5)) all += event.text + "\n";
  return all;
}

TEST(SalvageLedger, SaysKeysAsPeopleReadThem) {
  const SalvageTarget target{.name = "goods"};
  const auto show = [&](const std::string& key) { return target.show(as_bytes(key)); };
  EXPECT_EQ(show("plain"), "'plain'");
  EXPECT_EQ(show(""), "0x");
  EXPECT_EQ(show(std::string("\0\x7F", 2)), "0x007f");
  EXPECT_EQ(show("tab\t"), "0x74616209");
  EXPECT_EQ(show("del\x7F"), "0x64656c7f");
  EXPECT_EQ(show("\xFF"), "0xff");
  EXPECT_EQ(show(std::string(50, 'k')), "'" + std::string(40, 'k') + "...'");
  EXPECT_EQ(show(std::string(50, '\1')).size(), 2u + 80 + 3);
}

TEST(SalvageLedger, SaysRangesAndCounts) {
  EXPECT_EQ(words_about(target_with("", std::nullopt, std::nullopt)),
            "all keys: an unknown number of them is lost: why\n5 keys saved, an unknown number "
            "lost\n");
  EXPECT_EQ(words_about(target_with("b", std::nullopt, 3)),
            "keys from 'b' on: 3 lost: why\n5 keys saved, 3 lost\n");
  EXPECT_EQ(words_about(target_with("", "d", 3)),
            "keys before 'd': 3 lost: why\n5 keys saved, 3 lost\n");
  EXPECT_EQ(words_about(target_with("b", "d", 0)), "5 keys saved, 0 lost\n");
  SalvageTarget whole{.name = "goods"};
  whole.without.emplace(to_vector(as_bytes("k")),
                        std::set<FieldId>());  // has all its vectors again
  EXPECT_EQ(words_about(whole), "5 keys saved, 0 lost\n");
  SalvageTarget target = target_with("b", "d", 3);
  target.note_erase_range(as_bytes("c"), as_bytes("z"));
  EXPECT_EQ(words_about(target),
            "keys from 'b' to before 'd': 0 to 3 lost (the log wrote or erased keys among them): "
            "why\n5 keys saved, 0 to 3 lost\n");
}

TEST(SalvageLedger, AnErasedRangeIsComparedWithWhatIsLost) {
  using Bound = std::optional<Bytes>;
  const auto least_after = [](std::optional<std::string> high, Bound from, Bound to) -> int {
    SalvageTarget target = target_with("d", high, 3);
    target.note_erase_range(from, to);
    return target.lost.empty() ? -1 : static_cast<int>(target.lost[0].least());
  };
  const auto at = [](const char* key) { return Bound(as_bytes(std::string_view(key))); };
  constexpr int kGone = -1;
  constexpr int kUnsure = 0;
  constexpr int kApart = 3;
  EXPECT_EQ(least_after("g", std::nullopt, std::nullopt), kGone);
  EXPECT_EQ(least_after("g", at("d"), at("g")), kGone);
  EXPECT_EQ(least_after("g", at("c"), std::nullopt), kGone);
  EXPECT_EQ(least_after("g", at("e"), std::nullopt), kUnsure);
  EXPECT_EQ(least_after("g", std::nullopt, at("f")), kUnsure);
  EXPECT_EQ(least_after("g", std::nullopt, at("d")), kApart);
  EXPECT_EQ(least_after("g", at("a"), at("b")), kApart);
  EXPECT_EQ(least_after("g", at("g"), at("h")), kApart);
  EXPECT_EQ(least_after("g", at("g"), std::nullopt), kApart);
  EXPECT_EQ(least_after(std::nullopt, at("d"), std::nullopt), kGone);
  EXPECT_EQ(least_after(std::nullopt, at("d"), at("z")), kUnsure);
  EXPECT_EQ(least_after(std::nullopt, at("z"), std::nullopt), kUnsure);
}

TEST(SalvageLedger, NamesAreCountedOnce) {
  SalvageTarget target = target_with("a", "z", 2);
  const auto key = [](const char* text) { return to_vector(as_bytes(std::string_view(text))); };
  target.lost[0].named = {key("b"), key("c")};
  EXPECT_TRUE(target.lost[0].all_named());
  target.note_put(as_bytes(std::string_view("x")), false);  // all that is lost is known: not this
  EXPECT_EQ(target.lost[0].least(), 2u);
  target.note_put(as_bytes(std::string_view("b")), false);  // there again
  EXPECT_EQ(target.lost[0].most(), 1u);
  target.note_erase(as_bytes(std::string_view("c")), false);
  EXPECT_EQ(target.lost[0].most(), 0u);
  SalvageTarget unknown = target_with("a", std::nullopt, std::nullopt);
  EXPECT_FALSE(unknown.lost[0].all_named());
  unknown.note_put(as_bytes(std::string_view("b")), false);
  EXPECT_EQ(unknown.lost[0].least(), 0u);
  EXPECT_EQ(unknown.lost[0].most(), kUnknownCount);
  unknown.note_put(as_bytes(std::string_view("b")), true);
  unknown.note_erase(as_bytes(std::string_view("b")), true);
  EXPECT_EQ(unknown.lost[0].erased, 0u);
  EXPECT_EQ(add_counts(1, kUnknownCount), kUnknownCount);
  EXPECT_EQ(add_counts(kUnknownCount, 1), kUnknownCount);
}

}  // namespace
}  // namespace quire::test::salvaging
