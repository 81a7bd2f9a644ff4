// Calls about vectors: searches, exact and by indexes, these indexes, and their maintenance.
#pragma once

#include <set>
#include <span>

#include "fuzz/calls_cursors.h"

namespace quire::fuzz {

class VectorCalls : public CursorCalls {
 protected:
  using CursorCalls::CursorCalls;

  using Place = std::array<float, 2>;

  bool has_vector_indexes() const {
    return std::ranges::any_of(committed_.shelves,
                               [](const auto& each) { return !each.second.indexes.empty(); });
  }

  // Borrows the place.
  static quire_value place_value(const Place& place) {
    quire_value value{};
    value.type = QUIRE_TYPE_VECTOR_F32;
    value.dimension = 2;
    value.as.vector = place.data();
    return value;
  }
  static quire_value place_value(const std::optional<Place>& place) {
    return place ? place_value(*place) : quire_value{};
  }

  // --- searches ---

  void search(Txn& txn, quire_collection id) {
    const Place query = {static_cast<float>(input_.byte()), 1};
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.field = 3;
    const std::uint8_t how = input_.byte();
    options.k = 1 + how % 6;
    const auto shelf = txn.state.shelves.find(id);
    const bool here = txn.open && shelf != txn.state.shelves.end();
    int expected = txn.open ? shelf_code(txn.state, id) : QUIRE_ERR_CLOSED;
    std::string index;
    if (here && !shelf->second.indexes.empty())
      expected = choose_way(shelf->second, index, options);
    quire_hit after{};
    if (how >= 192) choose_terms(options, after, expected);
    const quire_value vector = place_value(query);
    std::array<quire_hit, 12> hits;
    std::array<std::size_t, 2> counts{};
    const bool twice = how >= 224;
    const std::array queries{vector, vector};
    if (!twice) options.query = &vector;
    const int code = twice ? quire_search_batch(txn.handle, id, &options, queries.data(), 2, 2,
                                                hits.data(), counts.data())
                           : quire_search(txn.handle, id, &options, hits.data(), counts.data());
    expect(code, expected, "search");
    if (code != QUIRE_OK) return;
    const bool exact = shelf->second.indexes.empty() || (options.flags & QUIRE_SEARCH_EXACT) != 0;
    for (std::size_t i = 0; i < (twice ? 2 : 1); ++i)
      compare(shelf->second, query, options, {hits.data() + i * options.k, counts[i]}, exact);
  }

  // --- indexes ---

  void vector_index_call(Txn& txn, quire_collection id) {
    const std::uint8_t what = input_.byte();
    const std::string name = some_vector_index();
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
    State::Shelf* const shelf = expected == QUIRE_OK ? &txn.state.shelves[id] : nullptr;
    if (what < 128) return make_vector_index(txn, id, shelf, name, expected);
    if (shelf != nullptr && std::ranges::count(shelf->indexes, name) == 0)
      expected = QUIRE_ERR_NOT_FOUND;
    if (what < 160) {
      const int code = quire_index_drop(txn.handle, id, name.c_str());
      expect_change(txn, code, expected, "index_drop");
      if (code == QUIRE_OK) std::erase(shelf->indexes, name);
    } else if (what < 192) {
      const std::string to = some_vector_index();
      if (expected == QUIRE_OK && to != name && std::ranges::count(shelf->indexes, to) != 0)
        expected = QUIRE_ERR_EXISTS;
      const int code = quire_index_rename(txn.handle, id, name.c_str(), to.c_str());
      expect_change(txn, code, expected, "index_rename");
      if (code == QUIRE_OK) std::ranges::replace(shelf->indexes, name, to);
    } else {
      const int code = quire_index_rebuild(txn.handle, id, name.c_str(), nullptr, nullptr);
      expect_change(txn, code, expected, "index_rebuild");
    }
  }

  // --- maintenance ---

  void maintenance_call() {
    quire_maintenance_stat stat{};
    stat.size = sizeof stat;
    quire_db* const db = dbs_[dbs_.size() - 1];
    const bool reads = dbs_.size() == 2 && second_reads_only_;
    const int expected = reads ? QUIRE_ERR_READ_ONLY : QUIRE_OK;
    switch (input_.byte() % 8) {
      case 0:
        return expect(quire_maintenance_pause(db), expected, "maintenance_pause");
      case 1:
        return expect(quire_maintenance_resume(db), expected, "maintenance_resume");
      case 2:
        expect(quire_maintenance_get_stat(db, &stat), expected, "maintenance_get_stat");
        return demand(stat.error == QUIRE_OK && stat.working == 0, "maintenance without a thread");
      default:
        break;
    }
    if (writer() != nullptr && !reads) return;  // it would wait for its turn for ever
    const int code = quire_maintenance_flush(db);
    if (!found_no_room(code)) expect(code, expected, "maintenance_flush");
    if (code == QUIRE_OK) expect(quire_check(db, nullptr, nullptr), QUIRE_OK, "check of a flush");
  }

  // --- all of a state ---

  void verify_vectors(quire_txn* txn, quire_collection id, const State::Shelf& shelf) {
    struct Listed {
      const State::Shelf& shelf;
      std::size_t count;
    } listed{shelf, 0};
    const auto visit = [](void* context, const quire_index_info* info) {
      auto& seen = *static_cast<Listed*>(context);
      demand(seen.count < seen.shelf.indexes.size() &&
                 seen.shelf.indexes[seen.count] == info->name && info->kind == std::string("hnsw"),
             "another index of vectors");
      demand(info->entries == seen.shelf.places(), "an index has another number of vectors");
      ++seen.count;
      return 0;
    };
    expect(quire_index_list(txn, id, visit, &listed), QUIRE_OK, "index_list");
    demand(listed.count == shelf.indexes.size(), "an index of vectors is lost");
    const Place query = {20, 1};
    const quire_value vector = place_value(query);
    std::vector<quire_hit> hits(200);
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.field = 3;
    options.query = &vector;
    options.k = static_cast<std::uint32_t>(hits.size());
    for (const std::string& index : shelf.indexes) {
      options.index = index.c_str();
      std::size_t count = 0;
      expect(quire_search(txn, id, &options, hits.data(), &count), QUIRE_OK, "search for all");
      compare(shelf, query, options, {hits.data(), count}, true);
    }
  }

 private:
  std::string some_vector_index() { return "v" + std::to_string(input_.byte() % 3); }

  void make_vector_index(Txn& txn, quire_collection id, State::Shelf* shelf,
                         const std::string& name, int expected) {
    static constexpr const char* kOptions[] = {
        R"({"field": "place", "quantizer": "none", "m": 4, "ef_construction": 8})",
        R"({"field": "place", "quantizer": "f16", "m": 5, "seed": 7})",
        R"({"field": "place"})",  // never trained here: all wait
        R"({"field": "place", "quantizer": "none", "metric": "hamming"})"};
    const std::uint8_t which = input_.byte() % 13;
    quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
    options.kind = "hnsw";
    options.options = kOptions[which < 6 ? 0 : which < 10 ? 1 : which < 12 ? 2 : 3];
    if (expected == QUIRE_OK && std::ranges::count(shelf->indexes, name) != 0)
      expected = QUIRE_ERR_EXISTS;
    const int code = quire_index_create(txn.handle, id, name.c_str(), &options);
    // Of several errors either may be told.
    if (which == 12 && code == QUIRE_ERR_NOT_SUPPORTED && expected != QUIRE_ERR_CLOSED) return;
    if (which == 12 && expected == QUIRE_OK) expected = QUIRE_ERR_NOT_SUPPORTED;
    expect_change(txn, code, expected, "index_create");
    if (code == QUIRE_OK) shelf->indexes.push_back(name);
  }
  // What is said of index, ef and exactness, and the code that it gets.
  int choose_way(const State::Shelf& shelf, std::string& index, quire_search_options& options) {
    const std::uint8_t what = input_.byte();
    options.ef = what % 32;
    if (what == 255) options.ef = 1'000'001;
    if ((what & 32) != 0) options.flags = QUIRE_SEARCH_EXACT;
    if (what == 254) options.flags = 4;
    if (what >= 128) {
      index = some_vector_index();
      options.index = index.c_str();
    }
    if (what >= 254) return QUIRE_ERR_INVALID;
    if (options.index != nullptr && (what & 32) != 0) return QUIRE_ERR_INVALID;
    const bool there = options.index == nullptr || std::ranges::count(shelf.indexes, index) != 0;
    return there ? QUIRE_OK : QUIRE_ERR_NOT_FOUND;
  }
  // More than nearness, and the code that it gets.
  void choose_terms(quire_search_options& options, quire_hit& after, int& expected) {
    const std::uint8_t what = input_.byte();
    if ((what & 1) != 0) {
      options.flags |= QUIRE_SEARCH_WITHIN;
      options.max_distance = input_.byte();
    }
    if ((what & 2) != 0) {
      after.distance = input_.byte();
      after.record = input_.byte();
      options.after = &after;
      options.after_count = input_.byte();
    }
    if ((what & 4) != 0) {
      options.diversity = static_cast<double>(input_.byte()) / 128;
      options.candidates = input_.byte() % 16;
    }
    if ((what & 8) != 0) options.per_group = 1;  // of the key
    const bool wrong = options.diversity > 1 ||
                       (options.diversity == 0 && options.candidates != 0) ||
                       (options.candidates != 0 && options.candidates < options.k) ||
                       (options.after != nullptr && (what & 8) != 0) ||
                       (options.after != nullptr && options.diversity != 0);
    // Terms are looked at before the index.
    if (wrong && (expected == QUIRE_OK || expected == QUIRE_ERR_NOT_FOUND))
      expected = QUIRE_ERR_INVALID;
  }
  // As many as were asked for, each once, of a record that is that far away; where no neighbour may
  // be missed, the nearest.
  static void compare(const State::Shelf& shelf, const Place& query,
                      const quire_search_options& options, std::span<const quire_hit> hits,
                      bool exact) {
    const bool within = (options.flags & QUIRE_SEARCH_WITHIN) != 0;
    std::vector<double> distances;
    std::size_t unsure = 0;  // as far away as the hit that they have to be behind
    for (const auto& [key, record] : shelf.records) {
      if (!record.place) continue;
      const double its = distance(*record.place, query);
      if (within && its > options.max_distance) continue;
      if (options.after != nullptr && its < options.after->distance) continue;
      if (options.after != nullptr && its == options.after->distance) ++unsure;
      distances.push_back(its);
    }
    std::ranges::sort(distances);
    demand(hits.size() <= std::min<std::size_t>(options.k, distances.size()) &&
               hits.size() >= std::min<std::size_t>(options.k, distances.size() - unsure),
           "another number of hits");
    std::set<std::string> keys;
    for (std::size_t i = 0; i < hits.size(); ++i) {
      if (options.diversity == 0) {
        demand(!exact || unsure != 0 || hits[i].distance == distances[i], "another distance");
        demand(i == 0 || hits[i - 1].distance <= hits[i].distance, "hits out of order");
      }
      demand(!within || hits[i].distance <= options.max_distance, "a hit that is too far");
      demand(options.after == nullptr || hits[i].distance > options.after->distance ||
                 (hits[i].distance == options.after->distance &&
                  hits[i].record > options.after->record),
             "a hit of the page before");
      const auto record = shelf.records.find(text(hits[i].key.as.bytes));
      demand(record != shelf.records.end() && record->second.place &&
                 distance(*record->second.place, query) == hits[i].distance,
             "a hit that is none");
      demand(keys.insert(record->first).second, "a hit twice");
    }
  }
  // Small whole numbers: exact.
  static double distance(const Place& a, const Place& b) {
    const double x = static_cast<double>(a[0] - b[0]);
    const double y = static_cast<double>(a[1] - b[1]);
    return x * x + y * y;
  }
};

}  // namespace quire::fuzz
