// The two processes of measure_changes(): one that changes a database, and one that only reads it.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/bench/vector/engine.h"
#include "tools/bench/vector/process.h"

namespace quire::bench {

// Answers:
//
//   make COUNT            records of the first rows, and their index: seconds
//   open                  a database that is there
//   insert COUNT D        records, one a commit of this durability (QUIRE_DURABILITY_*): seconds
//   stream COUNT RATE     the same, so many a second, not durable: seconds
//   put COUNT D           values of the size of a vector into a keyspace, likewise: seconds
//   replace COUNT LABEL   vectors of records by others, one a commit, not durable; of this label by
//                         such of it while there are any; -1: of any: seconds
//   flush                 what waits in the index: seconds
//   rebuild               the index: seconds
//   checkpoint            seconds
LineHandler changing_writer(const DataSet& set, const std::vector<std::uint8_t>& labels,
                            const IndexSettings& index);

// Answers:
//
//   open                  the newest state: seconds to the first answer, how many of its hits are
//                         right
//   renew                 the same, of a database that is open; finds the exact answers anew
//   search EF SECONDS     in that state: recall, searches a second, p50 and p99 in us
//   fresh EF SECONDS      likewise, each search in a new snapshot; without recall (0)
//   checked EF SECONDS    the same, and how many answers had a distance that is not the record's,
//                         or fewer hits than there could be: searches a second, wrong answers
LineHandler changing_reader(const DataSet& set, const IndexSettings& index, std::size_t queries);

}  // namespace quire::bench
