/* quire.h alone, as C99: that it compiles is the test; it runs so that the symbols are found too.
 */
#include "quire/quire.h"

int main(void) {
  quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
  quire_range range = QUIRE_RANGE_INIT;
  quire_search_options search = QUIRE_SEARCH_OPTIONS_INIT;
  quire_db* db = 0;
  if (options.size != sizeof options || range.size != sizeof range || search.size != sizeof search)
    return 1;
  if (quire_open(0, 0, &db) != QUIRE_ERR_INVALID) return 2;
  return db == 0 && quire_close(0) == QUIRE_OK ? 0 : 3;
}
