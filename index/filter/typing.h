// Gives a parsed tree its fields and types, and folds what is constant.
//
// Types are sets (Node::types): those of a JSON path and of a parameter are known only when there
// is a row, or an argument. What a parameter is compared with, or used for, narrows what it may be;
// all its places together have to leave something.
#pragma once

#include <string>
#include <vector>

#include "engine/record/schema.h"
#include "index/filter/parser.h"

namespace quire::filter {

inline constexpr Types kNumberTypes = types_of(FieldType::kI64) | types_of(FieldType::kF64);
inline constexpr Types kScalarTypes = kNumberTypes | types_of(FieldType::kBool) |
                                      types_of(FieldType::kText) | types_of(FieldType::kBytes) |
                                      types_of(FieldType::kTimestamp);
inline constexpr Types kArrayTypes = kScalarTypes << 7;  // array_of
// Also what is no scalar, which no operator but `is null`, `has` and `length` takes.
inline constexpr Types kJsonTypes = kNumberTypes | types_of(FieldType::kBool) |
                                    types_of(FieldType::kText) | types_of(FieldType::kJson);

// Numbers are of one kind: where one is, the other may be.
constexpr Types with_all_numbers(Types types) noexcept {
  return (types & kNumberTypes) != 0 ? types | kNumberTypes : types;
}
// "text", "a number", "json" ...; "null" for no type.
std::string describe_types(Types types);

struct TypedParameter {
  std::string name;
  Types types = kScalarTypes | kArrayTypes;  // what its argument may be; null always
};

struct Typed {
  Node root;
  std::vector<TypedParameter> parameters;
  bool numbered = false;
};

// `condition`: whether the whole has to be one. kNotFound for a field that does not exist, kType
// for types that do not go together, kInvalid for constants that make no sense: "at 17: ...".
Result<Typed> give_types(Syntax syntax, const Schema& schema, bool condition);

}  // namespace quire::filter
