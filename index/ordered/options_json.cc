// Options of a sorted index as they are asked for.
#include <algorithm>
#include <array>

#include <simdjson.h>

#include "index/ordered/options_object.h"
#include "index/ordered/sorted_options.h"

namespace quire {
namespace {

namespace dom = simdjson::dom;

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

std::unexpected<Error> refuse_part(std::string_view text, const std::string& words) {
  return refuse_option("fields", quoted(text) + " " + words);
}

// ---------------------------------------------------------------- parts

Result<SortedPart> make_part(const Schema& schema, std::size_t at, PartSource source,
                             std::string_view text) {
  const Field& field = schema.field(at);
  if (part_type(source, field.type) != FieldType::kNull)
    return SortedPart{.field = field.id, .source = source, .path = {}};
  const std::string is = "is of the type " + std::string(type_name(field.type));
  if (source == PartSource::kElements) return refuse_part(text, is + ": only arrays have elements");
  if (source == PartSource::kPath) return refuse_part(text, is + ": only json has paths");
  if (is_array(field.type))
    return refuse_part(text, is + ": its elements can be asked for as '" + field.name + "[]'");
  if (field.type == FieldType::kJson)
    return refuse_part(text, is + ": a place in it can be asked for as '" + field.name + ".key'");
  return refuse_part(text, is + ", which has no order");
}

// name.key, name[0]: the longest name of a JSON field counts.
Result<SortedPart> parse_path_part(const Schema& schema, std::string_view text) {
  std::optional<Error> why;  // of the shortest name that is a field
  for (std::size_t end = text.find_last_of(".["); end != std::string_view::npos && end != 0;
       end = text.find_last_of(".[", end - 1)) {
    const std::size_t at = schema.find(text.substr(0, end));
    if (at == schema.size()) continue;
    auto part = make_part(schema, at, PartSource::kPath, text);
    if (!part) {
      why = part.error();
      continue;
    }
    auto path = JsonPath::parse(text.substr(end));
    if (!path) return refuse_option("fields", path.error().message());
    part->path = *std::move(path);
    return part;
  }
  if (why) return std::unexpected(*std::move(why));
  return refuse_part(text, "is no field");
}

Result<SortedPart> parse_source(const Schema& schema, std::string_view text) {
  if (const std::size_t at = schema.find(text); at != schema.size())
    return make_part(schema, at, PartSource::kField, text);
  if (text.ends_with("[]")) {
    const std::size_t at = schema.find(text.substr(0, text.size() - 2));
    if (at != schema.size()) return make_part(schema, at, PartSource::kElements, text);
  }
  return parse_path_part(schema, text);
}

// ---------------------------------------------------------------- the object

Result<Collation> parse_collation(dom::element value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    if (text == "bytes") return Collation::kBytes;
    if (text == "ascii_nocase") return Collation::kAsciiNocase;
  }
  return refuse_option("collation", "is \"bytes\" or \"ascii_nocase\"");
}

class OptionsParser {
 public:
  OptionsParser(const Schema& schema, const FilterLanguage* language)
      : schema_(schema), language_(language) {}

  Result<SortedOptions> parse(std::string_view asked) {
    QUIRE_CHECK(for_each_option(parser_, asked, [this](std::string_view name, dom::element value) {
      return take_option(name, value);
    }));
    if (options_.parts.empty()) return refuse_option("fields", "is missing");
    return finish();
  }

 private:
  Status take_option(std::string_view name, dom::element value) {
    if (name == "fields") return take_parts(value);
    if (name == "covering") return take_covering(value);
    if (name == "where") return take_where(value);
    if (name == "unique") {
      if (value.get_bool().get(options_.unique) == simdjson::SUCCESS) return {};
      return refuse_option(name, "is true or false");
    }
    if (name == "collation") {
      QUIRE_TRY(common_, parse_collation(value));
      return {};
    }
    return refuse_option(
        name, "is not one of a sorted index: fields, unique, collation, covering, where");
  }

  Status take_parts(dom::element value) {
    dom::array parts;
    if (value.get_array().get(parts) != simdjson::SUCCESS)
      return refuse_option("fields", "is a list of parts");
    if (parts.size() == 0 || parts.size() > kMaxSortedParts)
      return refuse_option("fields", "has " + std::to_string(parts.size()) +
                                         " parts; an index has 1 to " +
                                         std::to_string(kMaxSortedParts));
    for (const dom::element part : parts) QUIRE_CHECK(take_part(part));
    return {};
  }

  Status take_part(dom::element value) {
    dom::object object;
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) {
      QUIRE_TRY(SortedPart part, parse_part(schema_, text, false));
      return add_part(std::move(part), std::nullopt, text);
    }
    if (value.get_object().get(object) != simdjson::SUCCESS)
      return refuse_option("fields", "has a part that is neither a text nor an object");
    return take_long_part(object);
  }

  Status take_long_part(dom::object object) {
    std::string_view text;
    bool descending = false;
    std::optional<Collation> collation;
    for (const dom::key_value_pair pair : object) {
      if (pair.key == "field") {
        if (pair.value.get_string().get(text) != simdjson::SUCCESS || text.empty())
          return refuse_option("fields", "has a part whose 'field' is no text");
      } else if (pair.key == "order") {
        std::string_view order;
        if (pair.value.get_string().get(order) != simdjson::SUCCESS ||
            (order != "asc" && order != "desc"))
          return refuse_option("fields",
                               "has a part whose 'order' is neither \"asc\" nor \"desc\"");
        descending = order == "desc";
      } else if (pair.key == "collation") {
        QUIRE_TRY(collation, parse_collation(pair.value));
      } else {
        return refuse_option("fields", "has a part with " + quoted(pair.key) +
                                           ", which is none of field, order, collation");
      }
    }
    if (text.empty()) return refuse_option("fields", "has a part without 'field'");
    QUIRE_TRY(SortedPart part, parse_part(schema_, text, true));
    part.descending = descending;
    return add_part(std::move(part), collation, text);
  }

  Status add_part(SortedPart part, std::optional<Collation> collation, std::string_view text) {
    const Field& field = schema_.field(schema_.find_id(part.field));
    if (collation && !has_collation(part_type(part.source, field.type)))
      return refuse_part(text, "has no texts that a collation orders");
    if (collation) part.collation = *collation;
    own_collation_.push_back(collation.has_value());
    for (const SortedPart& other : options_.parts) {
      if (other.field == part.field && other.source == part.source && other.path == part.path)
        return refuse_part(text, "is there twice");
      if (other.source == PartSource::kElements && part.source == PartSource::kElements)
        return refuse_part(text, "is the second part with the elements of an array");
    }
    options_.parts.push_back(std::move(part));
    return {};
  }

  Status take_covering(dom::element value) {
    dom::array names;
    if (value.get_array().get(names) != simdjson::SUCCESS)
      return refuse_option("covering", "is a list of fields");
    if (names.size() > kMaxCovering)
      return refuse_option("covering", "has more than " + std::to_string(kMaxCovering) + " fields");
    for (const dom::element name : names) {
      std::string_view text;
      if (name.get_string().get(text) != simdjson::SUCCESS)
        return refuse_option("covering", "is a list of fields");
      const std::size_t at = schema_.find(text);
      if (at == schema_.size()) return refuse_option("covering", quoted(text) + " is no field");
      if (is_vector(schema_.field(at).type))
        return refuse_option("covering", quoted(text) + " is a vector, which no entry has");
      if (std::ranges::count(options_.covering, schema_.field(at).id) != 0)
        return refuse_option("covering", quoted(text) + " is there twice");
      options_.covering.push_back(schema_.field(at).id);
    }
    return {};
  }

  Status take_where(dom::element value) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS)
      return refuse_option("where", "is a text");
    if (language_ == nullptr)
      return fail(ErrorCode::kNotSupported, "option 'where': this library knows no filters");
    auto stored = language_->resolve(schema_, text);
    // Whatever it is to the language.
    if (!stored) return refuse_option("where", stored.error().message());
    options_.where = *std::move(stored);
    return {};
  }

  SortedOptions finish() {
    for (std::size_t i = 0; i < options_.parts.size(); ++i) {
      SortedPart& part = options_.parts[i];
      const Field& field = schema_.field(schema_.find_id(part.field));
      if (!own_collation_[i] && has_collation(part_type(part.source, field.type)))
        part.collation = common_;
    }
    return std::move(options_);
  }

  const Schema& schema_;
  const FilterLanguage* language_;
  dom::parser parser_;
  SortedOptions options_;
  Collation common_ = Collation::kBytes;
  std::vector<bool> own_collation_;
};

}  // namespace

Result<SortedPart> parse_part(const Schema& schema, std::string_view text, bool plain) {
  if (plain || !text.starts_with('-') || schema.find(text) != schema.size())
    return parse_source(schema, text);
  QUIRE_TRY(SortedPart part, parse_source(schema, text.substr(1)));
  part.descending = true;
  return part;
}

Result<SortedOptions> parse_sorted_options(const Schema& schema, std::string_view asked,
                                           const FilterLanguage* language) {
  return OptionsParser(schema, language).parse(asked);
}

}  // namespace quire
