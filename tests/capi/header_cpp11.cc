// quire.h alone, as C++11.
#include "quire/quire.h"

int main() {
  const quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
  const quire_range range = QUIRE_RANGE_INIT;
  const quire_search_options search = QUIRE_SEARCH_OPTIONS_INIT;
  quire_db* db = nullptr;
  if (options.size != sizeof options || range.size != sizeof range || search.size != sizeof search)
    return 1;
  if (quire_open(nullptr, nullptr, &db) != QUIRE_ERR_INVALID) return 2;
  return db == nullptr && quire_close(nullptr) == QUIRE_OK ? 0 : 3;
}
