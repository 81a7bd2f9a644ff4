// Salvage: what is saved is what was there, and with what is said to be lost it is all of it. The
// corruption campaign (tests/corrupt) does the same at random; here is each promise by name.
#include <gtest/gtest.h>

#include "tests/db/salvage_world.h"

namespace quire::test::salvaging {
namespace {

TEST(Salvage, NothingIsLostOfAGoodDatabase) {
  State state;
  const auto disk = closed_database(state);
  const Salvaged salvaged = must(try_salvage(*disk));
  EXPECT_TRUE(salvaged.totals.complete) << salvaged.words();
  EXPECT_EQ(difference(state, salvaged.state), "");
  EXPECT_EQ(salvaged.totals.saved, 300u);
  EXPECT_EQ(salvaged.totals.lost_most, 0u);
}

TEST(Salvage, EachPageCostsWhatIsBelowItAndTheCountIsExact) {
  State state;
  const auto whole = closed_database(state);
  std::size_t with_losses = 0;
  for (PageNumber page = kFirstPage; page < pages_of(*whole); ++page) {
    const auto disk = whole->survivor(1, Survival::kEverything);
    spoil(*disk, std::uint64_t{page} * kPage + 200, "xyz");
    const Salvaged salvaged = must(try_salvage(*disk));
    if (salvaged.totals.complete) {
      EXPECT_EQ(difference(state, salvaged.state), "") << "page " << page;
      continue;
    }
    ++with_losses;
    if (!salvaged.state.contains("goods")) continue;  // the catalog's own leaf
    const Keys& keys = salvaged.state.at("goods");
    EXPECT_EQ(keys.size() + salvaged.totals.lost_most, 300u) << salvaged.words();
    EXPECT_EQ(salvaged.totals.lost_least, salvaged.totals.lost_most);
    for (const SalvageEvent& event : salvaged.events) {
      if (event.kind != Kind::kLost || !event.low) continue;
      EXPECT_EQ(event.page, page);
      EXPECT_EQ(event.name, "goods");
      // Exactly the keys in the range are missing.
      std::uint64_t missing = 0;
      for (const auto& [key, value] : state.at("goods")) {
        const bool inside = compare_bytes(as_bytes(key), *event.low) >= 0 &&
                            (!event.high || compare_bytes(as_bytes(key), *event.high) < 0);
        EXPECT_EQ(keys.contains(key), !inside) << key;
        missing += inside ? 1 : 0;
      }
      EXPECT_EQ(missing, event.lost_most);
    }
  }
  EXPECT_GT(with_losses, 20u);
}

TEST(Salvage, ALongValueThatIsLostIsNamedByItsKey) {
  SimulatedDisk disk(1);
  auto database = open(disk);
  commit(*database, [](WriteTxn& txn, StructureId goods) {
    put(txn, goods, "long", std::string(5000, 'L'));
    put(txn, goods, "short", "s");
  });
  must(database->close());
  std::string data(must(must(disk.open(kData, io::OpenMode::kRead))->size()), '\0');
  must(must(disk.open(kData, io::OpenMode::kRead))
           ->read(0, {reinterpret_cast<std::byte*>(data.data()), data.size()}));
  spoil(disk, data.find(std::string(600, 'L')) + 100, "x");
  const Salvaged salvaged = must(try_salvage(disk, true));
  EXPECT_EQ(difference({{"goods", {{"short", "s"}}}}, salvaged.state), "");
  EXPECT_EQ(salvaged.totals.lost_most, 1u);
  EXPECT_NE(salvaged.words().find("key 'long' is lost: its value: "), std::string::npos)
      << salvaged.words();
}

TEST(Salvage, UnverifiedTakesADamagedLeafAndSaysSo) {
  State state;
  const auto disk = closed_database(state);
  PageNumber leaf = kFirstPage;
  for (; leaf < pages_of(*disk); ++leaf) {
    const NodeHeader header = header_of(*disk, leaf);
    if (header.page == leaf && header.kind == static_cast<std::uint8_t>(PageKind::kLeaf)) break;
  }
  // The first byte of the last value: the page stays a leaf.
  spoil(*disk, std::uint64_t{leaf + 1} * kPage - 20, "V");
  EXPECT_GT(must(try_salvage(*disk->survivor(1, Survival::kEverything))).totals.lost_most, 0u);
  const Salvaged salvaged = must(try_salvage(*disk, true));
  EXPECT_FALSE(salvaged.totals.complete);
  EXPECT_EQ(salvaged.count(Kind::kUnverified), 1u) << salvaged.words();
  EXPECT_EQ(salvaged.state.at("goods").size(), 300u);
  EXPECT_EQ(salvaged.totals.lost_most, 0u);
}

// Old copies of leaves lie everywhere; none may come back instead of a new one.
TEST(Salvage, LeavesBelowALostBranchAreTheNewestOnes) {
  State state;
  const auto whole = closed_database(state, 6);
  std::size_t branches = 0;
  for (PageNumber page = kFirstPage; page < pages_of(*whole); ++page) {
    const NodeHeader header = header_of(*whole, page);
    if (header.page != page || header.kind != static_cast<std::uint8_t>(PageKind::kBranch))
      continue;
    const auto disk = whole->survivor(1, Survival::kEverything);
    spoil(*disk, std::uint64_t{page} * kPage, std::string(kPage, 'x'));
    const Salvaged salvaged = must(try_salvage(*disk, true));
    if (salvaged.totals.complete) continue;  // it was an old copy itself
    ++branches;
    EXPECT_EQ(difference(state, salvaged.state), "") << "branch " << page;
    EXPECT_GT(salvaged.count(Kind::kUnverified), 0u);
    EXPECT_EQ(salvaged.totals.lost_most, 0u) << salvaged.words();
  }
  EXPECT_GT(branches, 2u);
}

TEST(Salvage, BothMetaPagesLostOfADatabaseThatWasClosed) {
  State state;
  const auto disk = closed_database(state, 3);
  spoil_metas(*disk);
  const Salvaged salvaged = must(try_salvage(*disk));
  EXPECT_EQ(difference(state, salvaged.state), "");
  EXPECT_FALSE(salvaged.totals.complete);  // nobody can know
  EXPECT_NE(salvaged.words().find("no meta page tells the page size"), std::string::npos)
      << salvaged.words();
}

TEST(Salvage, BothMetaPagesLostOfADatabaseThatCrashed) {
  SimulatedDisk disk(1);
  auto database = open(disk);
  State state = fill(*database, 1);
  must(database->checkpoint());
  commit(*database, [&](WriteTxn& txn, StructureId goods) {
    put(txn, goods, key_of(5), "later");
    must(txn.erase(goods, as_bytes(key_of(6))));
  });
  state["goods"][key_of(5)] = "later";
  state["goods"].erase(key_of(6));
  database->crash();
  spoil_metas(disk);
  const Salvaged salvaged = must(try_salvage(disk));
  EXPECT_EQ(difference(state, salvaged.state), "") << salvaged.words();
}

TEST(Salvage, OneMetaPageLost) {
  for (const bool crash : {false, true}) {
    for (const std::uint64_t place : {0, 512}) {
      SimulatedDisk disk(1);
      auto database = open(disk);
      State state = fill(*database, 2);
      must(database->checkpoint());
      commit(*database, [&](WriteTxn& txn, StructureId goods) { put(txn, goods, "z", "last"); });
      state["goods"]["z"] = "last";
      if (crash) {
        database->crash();
      } else {
        must(database->close());
      }
      spoil(disk, place + 100, "xyz");
      const Salvaged salvaged = must(try_salvage(disk));
      EXPECT_EQ(difference(state, salvaged.state), "") << crash << place << salvaged.words();
      EXPECT_NE(salvaged.words().find(place == 0 ? "the first meta page can't be used"
                                                 : "the second meta page can't be used"),
                std::string::npos)
          << salvaged.words();
    }
  }
}

TEST(Salvage, ADamagedLogIsCarriedOutUpToThereAndWhatFollowsIsCounted) {
  SimulatedDisk disk(1);
  auto database = open(disk);
  for (int i = 0; i < 20; ++i)
    commit(*database, [&](WriteTxn& txn, StructureId goods) { put(txn, goods, key_of(i), "v"); });
  database->crash();
  const auto numbers = must(wal::list_segments(disk, kLog));
  ASSERT_EQ(numbers.size(), 1u);
  std::string bytes(4096, '\0');
  const auto segment =
      must(disk.open(wal::segment_path(kLog, numbers[0]), io::OpenMode::kReadWrite));
  must(segment->read(0, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}));
  must(segment->write(bytes.find(key_of(10)), as_bytes("K")));
  const Salvaged salvaged = must(try_salvage(disk));
  State expected;
  for (int i = 0; i < 10; ++i) expected["goods"][key_of(i)] = "v";
  EXPECT_EQ(difference(expected, salvaged.state), "");
  EXPECT_EQ(salvaged.totals.commits, 10u);
  EXPECT_FALSE(salvaged.totals.complete);
  const std::string words = salvaged.words();
  EXPECT_NE(words.find("the commits behind LSN 10 are lost"), std::string::npos) << words;
  EXPECT_NE(words.find("9 records can be read, up to LSN 20, and up to LSN 19 all had been synced"),
            std::string::npos)
      << words;
}

TEST(Salvage, ALogThatGoesBackToTheFirstCommitMakesDamagedPagesGood) {
  State state;
  const auto disk = closed_database(state, 1, true);
  for (PageNumber page = 0; page < pages_of(*disk); ++page)
    spoil(*disk, std::uint64_t{page} * kPage + 200, std::string(100, 'x'));
  const Salvaged salvaged = must(try_salvage(*disk));
  EXPECT_EQ(difference(state, salvaged.state), "");
  EXPECT_TRUE(salvaged.totals.complete) << salvaged.words();
}

// What the log does to keys that are lost is part of the count.
TEST(Salvage, TheLogChangesWhatIsLost) {
  SimulatedDisk disk(1);
  auto database = open(disk);
  fill(*database, 1);
  must(database->checkpoint());
  commit(*database, [](WriteTxn& txn, StructureId goods) {
    must(txn.erase(goods, as_bytes(key_of(0))));
    put(txn, goods, key_of(1), "new");
  });
  database->crash();
  // The leaf with the first keys is the one that has the smallest key in the new state.
  std::uint64_t lost = 0;
  for (PageNumber page = kFirstPage; page < pages_of(disk) && lost == 0; ++page) {
    const auto copy = disk.survivor(1, Survival::kEverything);
    const NodeHeader header = header_of(*copy, page);
    if (header.page != page || header.kind != static_cast<std::uint8_t>(PageKind::kLeaf)) continue;
    spoil(*copy, std::uint64_t{page} * kPage + 200, "xyz");
    const Salvaged salvaged = must(try_salvage(*copy));
    if (salvaged.totals.complete || salvaged.state.at("goods").contains(key_of(2))) continue;
    // One was erased, and is no loss; one was written, and nobody knows whether it was there.
    lost = salvaged.totals.lost_most;
    EXPECT_EQ(salvaged.totals.lost_least + 1, lost) << salvaged.words();
    EXPECT_EQ(salvaged.state.at("goods").at(key_of(1)), "new");
    EXPECT_EQ(salvaged.state.at("goods").size() + salvaged.totals.lost_least, 299u);
  }
  EXPECT_NE(lost, 0u);
}

// --- collections ---

Collection make_books(WriteTxn& txn, bool nullable) {
  const Schema schema = must(Schema::make({{"id", FieldType::kText},
                                           {"title", FieldType::kText, true},
                                           {"place", FieldType::kVectorF32, nullable, 60}},
                                          0));
  return must(Collection::create(txn, "books", schema));
}

std::unique_ptr<SimulatedDisk> with_books(bool nullable) {
  auto disk = std::make_unique<SimulatedDisk>(1);
  auto database = open(*disk);
  const auto txn = must(database->begin_write(true));
  const Collection books = make_books(*txn, nullable);
  std::array<float, 60> place{};
  for (int i = 0; i < 100; ++i) {
    place[0] = static_cast<float>(12345 + i);
    const std::string id = key_of(i);
    const std::array<Value, 3> values = {Value::of_text(id), Value::of_text("a title"),
                                         Value::of_vector(place.data(), 60)};
    must(insert_record(*txn, books, values));
  }
  must(database->writer()->commit(*txn, Durability::kAlways));
  must(database->close());
  return disk;
}

// The page that begins with the vector of record 4 or behind: a block of vectors.
std::uint64_t block_of_vectors(io::Disk& disk) {
  const auto data = must(disk.open(kData, io::OpenMode::kRead));
  for (PageNumber page = kFirstPage; page < pages_of(disk); ++page) {
    float first = 0;
    must(data->read(std::uint64_t{page} * kPage, {reinterpret_cast<std::byte*>(&first), 4}));
    if (first >= 12349 && first < 12345 + 100) return std::uint64_t{page} * kPage;
  }
  return 0;
}

struct Counted {
  std::uint64_t records = 0;
  std::uint64_t without_vector = 0;
};
Counted count_books(io::Disk& disk) {
  Counted counted;
  SavedBooks(disk).for_each([&](std::span<const Value> values) {
    ++counted.records;
    counted.without_vector += values[2].is_null() ? 1 : 0;
  });
  return counted;
}

// Failed before: the log was carried out from before the state that was found, whose collection had
// other fields since. It got those of the log back, and its rows could be read no more.
TEST(Salvage, ALogFromBeforeTheStateDoesNotTakeItsFieldsBack) {
  SimulatedDisk disk(1);
  auto database = open(disk, true);
  const auto change = [&](const auto& body) {
    const auto txn = must(database->begin_write(true));
    body(*txn, must(Collection::open(*txn, "books")));
    must(database->writer()->commit(*txn, Durability::kAlways));
  };
  const auto insert = [&](int from, int to) {
    change([&](WriteTxn& txn, const Collection& books) {
      for (int i = from; i < to; ++i) {
        std::vector<Value> values(books.schema().size(), Value::null());
        const std::string id = key_of(i);
        values[0] = Value::of_text(id);
        values[1] = Value::of_text("a title");
        must(insert_record(txn, books, values));
      }
    });
  };
  const auto fields_become = [&](const auto& edit) {
    change([&](WriteTxn& txn, const Collection& books) {
      std::vector<Field> fields(books.schema().fields().begin(), books.schema().fields().end());
      edit(fields);
      must(rewrite_rows(txn, must(change_fields(txn, books, std::move(fields), {})), {}, {}));
    });
  };
  {
    const auto txn = must(database->begin_write(true));
    (void)make_books(*txn, true);
    must(database->writer()->commit(*txn, Durability::kAlways));
  }
  insert(0, 20);
  fields_become([](std::vector<Field>& fields) {
    fields.push_back({.name = "pages", .type = FieldType::kI64, .nullable = true});
  });
  insert(20, 40);
  change([](WriteTxn& txn, const Collection& books) {
    must(erase_record(txn, books, Value::of_text(key_of(3))));
  });
  fields_become([](std::vector<Field>& fields) { fields.pop_back(); });
  insert(40, 60);
  must(database->close());
  spoil_metas(disk);
  const Salvaged salvaged = must(try_salvage(disk));
  EXPECT_EQ(count_books(disk).records, 59u) << salvaged.words();
  EXPECT_EQ(salvaged.words().find("are lost"), std::string::npos) << salvaged.words();
}

TEST(Salvage, ARecordWhoseVectorIsLostIsNamed) {
  for (const bool nullable : {false, true}) {
    const auto disk = with_books(nullable);
    const std::uint64_t block = block_of_vectors(*disk);
    ASSERT_NE(block, 0u);
    spoil(*disk, block + 20, "xyz");
    const Salvaged salvaged = must(try_salvage(*disk));
    const std::string words = salvaged.words();
    const Counted counted = count_books(*disk);
    EXPECT_FALSE(salvaged.totals.complete);
    EXPECT_NE(words.find("vectors 'place' of the record numbers"), std::string::npos) << words;
    if (nullable) {
      EXPECT_EQ(counted.records, 100u);
      EXPECT_GT(counted.without_vector, 0u);
      EXPECT_NE(words.find("is saved without its vector 'place', which is lost"), std::string::npos)
          << words;
      EXPECT_EQ(salvaged.totals.lost_most, 0u);
    } else {
      EXPECT_LT(counted.records, 100u);
      EXPECT_EQ(counted.records + salvaged.totals.lost_most, 100u);
      EXPECT_NE(words.find("is lost: its vector 'place' is lost"), std::string::npos) << words;
    }
  }
}

TEST(Salvage, RecordsWhoseRowsAreLostAreNamedByTheTreeOfNumbers) {
  const auto whole = with_books(false);
  std::size_t leaves = 0;
  for (PageNumber page = kFirstPage; page < pages_of(*whole); ++page) {
    const NodeHeader header = header_of(*whole, page);
    if (header.page != page || header.kind != static_cast<std::uint8_t>(PageKind::kLeaf)) continue;
    const auto disk = whole->survivor(1, Survival::kEverything);
    spoil(*disk, std::uint64_t{page} * kPage + 200, "xyz");
    const Salvaged salvaged = must(try_salvage(*disk));
    const Counted counted = count_books(*disk);
    EXPECT_EQ(counted.records + salvaged.totals.lost_most, 100u) << salvaged.words();
    if (salvaged.totals.complete) {
      EXPECT_EQ(counted.records, 100u);
      EXPECT_NE(salvaged.words().find("which loses nothing"), std::string::npos);
      continue;
    }
    ++leaves;
    std::uint64_t named = 0;
    for (const SalvageEvent& event : salvaged.events)
      named += event.text.ends_with("it was among these") ? 1 : 0;
    EXPECT_EQ(named, salvaged.totals.lost_most) << salvaged.words();
  }
  EXPECT_GT(leaves, 3u);
}

// --- what is refused ---

TEST(Salvage, IsRefusedBesideAWriterAndWhereSomethingIs) {
  SimulatedDisk disk(1);
  EXPECT_EQ(code_of(try_salvage(disk)), ErrorCode::kNotFound);
  {
    const auto database = open(disk);
    fill(*database, 1);
    const auto busy = try_salvage(disk);
    EXPECT_EQ(code_of(busy), ErrorCode::kBusy) << words_of(busy);
    EXPECT_NE(words_of(busy).find("process"), std::string::npos);
  }
  must(disk.make_directory(kSaved));
  EXPECT_EQ(code_of(try_salvage(disk)), ErrorCode::kExists);
  must(disk.remove(kSaved));
  const auto inside = salvage(disk, kDatabasePath, std::string(kDatabasePath) + "/new", {}, {});
  EXPECT_EQ(code_of(inside), ErrorCode::kInvalid) << words_of(inside);
  must(try_salvage(disk));
}

TEST(Salvage, AVersionOfTheFutureIsNotDamage) {
  State state;
  const auto disk = closed_database(state);
  for (const std::uint64_t place : {0, 512}) spoil(*disk, place + 8, std::string("\2\0\0\0", 4));
  const auto refused = try_salvage(*disk);
  EXPECT_EQ(code_of(refused), ErrorCode::kVersion) << words_of(refused);
}

// A damaged version was taken for a version of the future, and nothing was salvaged.
TEST(Salvage, AVersionThatOneMetaPageAloneHasIsDamage) {
  State state;
  const auto disk = closed_database(state);
  spoil(*disk, 8, std::string("\2\0\0\0", 4));
  spoil(*disk, 512 + 100, "xyz");
  const Salvaged salvaged = must(try_salvage(*disk));
  EXPECT_EQ(difference(state, salvaged.state), "");
  EXPECT_NE(salvaged.words().find("format version 2"), std::string::npos) << salvaged.words();
}

TEST(Salvage, StoppedOrFailedLeavesNothing) {
  State state;
  const auto disk = closed_database(state);
  const auto stopped =
      salvage(*disk, kDatabasePath, kSaved, {}, [](const SalvageEvent&) { return false; });
  EXPECT_EQ(code_of(stopped), ErrorCode::kCancelled);
  EXPECT_FALSE(must(disk->exists(kSaved)));
  disk->set_capacity(disk->used_bytes() + 20'000);
  const auto full = try_salvage(*disk);
  EXPECT_EQ(code_of(full), ErrorCode::kFull) << words_of(full);
  EXPECT_FALSE(must(disk->exists(kSaved)));
}

}  // namespace
}  // namespace quire::test::salvaging
