// The language of filters (index/filter) as the `where` of partial indexes.
#pragma once

#include "index/ordered/partial_filter.h"

namespace quire {

// Stored is the canonical text of the filter, in which each field has the name '#' and its id: so
// it is good under whatever names the fields have later. Parameters and now() are kInvalid: what an
// index holds depends on the records alone.
const FilterLanguage& filter_language() noexcept;

}  // namespace quire
