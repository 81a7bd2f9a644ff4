// Canonical text of a tree.
#pragma once

#include <string>

#include "index/filter/tree.h"

namespace quire::filter {

// Parsed and typed again, for the same schema, it becomes the same tree (equal_trees). Of a node
// within a tree too, though there the types of parameters may be told by what is around it.
std::string to_text(const Node& node);

}  // namespace quire::filter
