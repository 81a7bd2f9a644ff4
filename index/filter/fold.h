// What of a tree is known before there are rows and arguments.
#pragma once

#include "index/filter/tree.h"

namespace quire::filter {

// Whether a field is below.
bool depends_on_row(const Node& node) noexcept;

void set_constant(Node& node, const Value& value);
// A typed node over constants becomes a constant. Of `and` and `or`, parts that change nothing go,
// and one that decides stands for all, unless parameters would be lost with the others: an
// argument is checked against all places of its parameter. `not` over `not` goes.
void fold(Node& node);

}  // namespace quire::filter
