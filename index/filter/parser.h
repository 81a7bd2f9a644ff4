// From the text of a filter to its tree, still without types: fields and parameters are names.
//
//   condition   = and { "or" and }
//   and         = not { "and" not }
//   not         = { "not" } comparison
//   comparison  = sum [ tail ]
//   tail        = ( "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" ) sum
//               | "is" [ "not" ] "null"
//               | [ "not" ] ( "between" sum "and" sum | "in" items | "like" sum [ "escape" text ]
//                           | "ilike" sum [ "escape" text ] | "matches" sum
//                           | "has" ( sum | "any" items | "all" items ) )
//   items       = "(" condition { "," condition } ")" | parameter
//   sum         = product { ( "+" | "-" ) product }
//   product     = unary { ( "*" | "/" | "%" ) unary }
//   unary       = { "-" } primary
//   primary     = "(" condition ")" | literal | parameter | "now" "(" ")"
//               | ( "length" | "lower" | "upper" ) "(" condition ")" | name { step }
//   literal     = integer | float | text | bytes | "true" | "false" | "null"
//               | ( "timestamp" | "date" | "interval" | "f64" ) text
//   step        = "." name | "[" ( integer | name | text ) "]"
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "index/filter/tree.h"

namespace quire::filter {

struct Syntax {
  Node root;
  // Names of the parameters, in the order of Node::parameter; "1", "2" ... where they are numbered.
  std::vector<std::string> parameters;
  bool numbered = false;
};

// kInvalid, "at 17: expected ...".
Result<Syntax> parse(std::string_view text);

}  // namespace quire::filter
