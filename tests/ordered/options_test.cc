// Options of sorted indexes: what is refused, what is stored, how they are described; paths.
#include "tests/ordered/ordered_world.h"

namespace quire {
namespace {

using namespace test;

struct Refused {
  const char* asked;
  const char* words;
};

constexpr Refused kRefused[] = {
    {"", "an object in JSON"},
    {"[]", "an object in JSON"},
    {R"({"fields": ["size"])", "an object in JSON"},
    {"{}", "option 'fields': is missing"},
    {R"({"unique": true})", "option 'fields': is missing"},
    {R"({"fields": "size"})", "option 'fields': is a list"},
    {R"({"fields": []})", "option 'fields': has 0 parts"},
    {R"({"fields": ["size", "size"]})", "'size' is there twice"},
    {R"({"fields": ["size", "-size"]})", "'-size' is there twice"},
    {R"({"fields": ["doc.a", "doc[\"a\"]"]})", "is there twice"},
    {R"({"fields": [7]})", "neither a text nor an object"},
    {R"({"fields": ["colour"]})", "'colour' is no field"},
    {R"({"fields": [""]})", "'' is no field"},
    {R"({"fields": ["-"]})", "'' is no field"},
    {R"({"fields": ["tags"]})", "'tags[]'"},
    {R"({"fields": ["doc"]})", "'doc.key'"},
    {R"({"fields": ["place"]})", "no order"},
    {R"({"fields": ["size[]"]})", "only arrays have elements"},
    {R"({"fields": ["size.a"]})", "only json has paths"},
    {R"({"fields": ["nothing.a"]})", "is no field"},
    {R"({"fields": ["doc."]})", "a step that is no"},
    {R"({"fields": ["doc[x]"]})", "a step that is no"},
    {R"({"fields": ["doc[1"]})", "a step that is no"},
    {R"({"fields": ["doc[99999999999]"]})", "a step that is no"},
    {R"({"fields": ["doc.a[]"]})", "the elements of an array in JSON"},
    {R"({"fields": ["doc[0]x"]})", "no '.' or '['"},
    {R"({"fields": ["tags[]", "codes[]"]})", "second part with the elements"},
    {R"({"fields": [{}]})", "without 'field'"},
    {R"({"fields": [{"field": 1}]})", "'field' is no text"},
    {R"({"fields": [{"field": "-size"}]})", "'-size' is no field"},
    {R"({"fields": [{"field": "size", "order": "up"}]})", "'order' is neither"},
    {R"({"fields": [{"field": "size", "way": "up"}]})", "'way'"},
    {R"({"fields": [{"field": "size", "collation": "ascii_nocase"}]})", "no texts"},
    {R"({"fields": [{"field": "section", "collation": "german"}]})", "option 'collation'"},
    {R"({"fields": ["size"], "collation": 1})", "option 'collation'"},
    {R"({"fields": ["size"], "unique": 1})", "option 'unique': is true or false"},
    {R"({"fields": ["size"], "unique": true, "unique": true})", "option 'unique': is given twice"},
    {R"({"fields": ["size"], "uniq": true})", "option 'uniq': is not one"},
    {R"({"fields": ["size"], "covering": "price"})", "option 'covering': is a list"},
    {R"({"fields": ["size"], "covering": [1]})", "option 'covering': is a list"},
    {R"({"fields": ["size"], "covering": ["colour"]})", "'colour' is no field"},
    {R"({"fields": ["size"], "covering": ["place"]})", "is a vector"},
    {R"({"fields": ["size"], "covering": ["price", "price"]})", "'price' is there twice"},
    {R"({"fields": ["size"], "where": true})", "option 'where': is a text"},
    {R"({"fields": ["size"], "where": "flg"})", "option 'where': at 1"},
};

Schema wide_schema() {
  const Schema shop = shop_schema();
  std::vector<Field> fields(shop.fields().begin(), shop.fields().end());
  for (Field& field : fields) field.id = 0;
  fields.push_back({"place", FieldType::kVectorF32, true, 3});
  fields.push_back({"-odd", FieldType::kI64, true});
  fields.push_back({"odd", FieldType::kI64, true});
  fields.push_back({"doc.taken", FieldType::kI64, true});
  return must(Schema::make(std::move(fields), 0));
}

TEST(SortedOptions, what_makes_no_sense_is_refused_and_named) {
  const Schema schema = wide_schema();
  for (const auto& [asked, words] : kRefused) {
    SCOPED_TRACE(asked);
    const auto resolved = kKindWithFilters.resolve(schema, asked);
    EXPECT_EQ(code_of(resolved), ErrorCode::kInvalid);
    EXPECT_NE(words_of(resolved).find(words), std::string::npos) << words_of(resolved);
  }
}

TEST(SortedOptions, more_parts_than_there_may_be_are_refused) {
  const auto with_parts = [](int parts) {
    std::string asked = R"({"fields": ["doc[0]")";
    for (int i = 1; i < parts; ++i) asked += ", \"doc[" + std::to_string(i) + "]\"";
    return code_of(kKindWithFilters.resolve(wide_schema(), asked + "]}"));
  };
  EXPECT_EQ(with_parts(16), ErrorCode::kOk);
  EXPECT_EQ(with_parts(17), ErrorCode::kInvalid);
}

TEST(SortedOptions, a_kind_without_filters_has_no_where) {
  const auto resolved =
      SortedKind().resolve(wide_schema(), R"({"fields": ["size"], "where": "flag"})");
  EXPECT_EQ(code_of(resolved), ErrorCode::kNotSupported);
  const ByteVector stored =
      must(kKindWithFilters.resolve(wide_schema(), R"({"fields": ["size"], "where": "flag"})"));
  const IndexDefinition definition{
      .name = "i", .kind = "sorted", .options = stored, .structures = {7}};
  EXPECT_EQ(code_of(SortedKind().bind(wide_schema(), definition)), ErrorCode::kNotSupported);
  EXPECT_EQ(code_of(kKindWithFilters.bind(wide_schema(), definition)), ErrorCode::kOk);
}

TEST(SortedOptions, a_description_is_what_could_have_been_asked_for) {
  const Schema schema = wide_schema();
  const std::pair<const char*, const char*> cases[] = {
      {R"({"fields": ["size"]})", R"({"fields": ["size"]})"},
      {R"({ "unique":true, "fields":["-section","size"] })",
       R"({"fields": ["-section", "size"], "unique": true})"},
      {R"({"fields": [{"field": "section", "order": "desc"}], "unique": false})",
       R"({"fields": ["-section"]})"},
      {R"({"fields": ["section", "size", "doc.a"], "collation": "ascii_nocase"})",
       R"({"fields": [{"field": "section", "collation": "ascii_nocase"}, "size", )"
       R"({"field": "doc.a", "collation": "ascii_nocase"}]})"},
      {R"({"fields": ["section", {"field": "doc.a", "collation": "bytes"}],)"
       R"( "collation": "ascii_nocase"})",
       R"({"fields": [{"field": "section", "collation": "ascii_nocase"}, "doc.a"]})"},
      {R"({"fields": ["tags[]", "-doc.price[\"net\"][3].x"], "covering": ["price", "blob"]})",
       R"({"fields": ["tags[]", "-doc.price.net[3].x"], "covering": ["price", "blob"]})"},
      {R"({"fields": ["doc[\"a.b\"][\"\"][\"\u00e4\\\"\\\\\"]"]})",
       "{\"fields\": [\"doc[\\\"a.b\\\"][\\\"\\\"][\\\"\xC3\xA4\\\\\\\"\\\\\\\\\\\"]\"]}"},
      {R"({"fields": ["-odd"]})", R"({"fields": ["-odd"]})"},
      {R"({"fields": [{"field": "odd", "order": "desc"}]})",
       R"({"fields": [{"field": "odd", "order": "desc"}]})"},
      {R"({"fields": ["doc[\"taken\"]"]})", R"({"fields": ["doc[\"taken\"]"]})"},
      {R"({"fields": ["doc.taken"]})", R"({"fields": ["doc.taken"]})"},
      {R"({"fields": ["size"], "where": "flag"})", R"({"fields": ["size"], "where": "flag"})"},
  };
  for (const auto& [asked, described] : cases) {
    SCOPED_TRACE(asked);
    const ByteVector stored = must(kKindWithFilters.resolve(schema, asked));
    const std::string description = kKindWithFilters.describe(schema, stored);
    EXPECT_EQ(description, described);
    EXPECT_EQ(must(kKindWithFilters.resolve(schema, description)), stored);
  }
}

TEST(SortedOptions, the_texts_before_a_dash_are_those_of_fields_first) {
  const Schema schema = wide_schema();
  const auto dashed = must(parse_sorted_options(schema, R"({"fields": ["-odd"]})", nullptr));
  EXPECT_EQ(dashed.parts[0].field, schema.field(schema.find("-odd")).id);
  EXPECT_FALSE(dashed.parts[0].descending);
}

TEST(SortedOptions, a_renamed_field_is_the_same_field) {
  const Schema schema = shop_schema();
  const ByteVector stored =
      must(kKindWithFilters.resolve(schema, R"({"fields": ["-size", "doc.a"]})"));
  std::vector<Field> fields(schema.fields().begin(), schema.fields().end());
  fields[kSize].name = "bytes";
  fields[kDoc].name = "page";
  const Schema renamed = must(schema.changed(std::move(fields)));
  EXPECT_EQ(kKindWithFilters.describe(renamed, stored), R"({"fields": ["-bytes", "page.a"]})");
}

TEST(SortedOptions, damaged_options_are_corrupt) {
  const Schema schema = wide_schema();
  const ByteVector whole = must(kKindWithFilters.resolve(
      schema, R"({"fields": ["-section", "doc.a[3]"], "covering": ["price"], "where": "flag"})"));
  const auto bind = [&](ByteVector options, std::vector<StructureId> structures) {
    return code_of(kKindWithFilters.bind(schema, {.name = "i",
                                                  .kind = "sorted",
                                                  .options = std::move(options),
                                                  .structures = std::move(structures)}));
  };
  EXPECT_EQ(bind(whole, {7}), ErrorCode::kOk);
  EXPECT_EQ(bind(whole, {}), ErrorCode::kCorrupt);
  EXPECT_EQ(bind(whole, {7, 8}), ErrorCode::kCorrupt);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(bind({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, {7}),
              ErrorCode::kCorrupt);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      ByteVector other = whole;
      other[at] = static_cast<std::byte>(value);
      const ErrorCode code = bind(other, {7});
      EXPECT_TRUE(code == ErrorCode::kOk || code == ErrorCode::kCorrupt);
    }
  }
}

TEST(JsonPath, finds_scalars_in_a_document) {
  const char* document = R"({"a": {"b": [1, {"c": "x\u0041"}, 2.5, null, true]}, "n": -7,
    "big": 9223372036854775807, "over": 9223372036854775808, "": "empty", "d": 1, "d": 2,
    "es\u0063": "key", "deep": [[1, 2], [3]], "small": -9223372036854775808, "one": 1.0})";
  const std::pair<const char*, const char*> cases[] = {
      {".n", "-7"},
      {".a.b[0]", "1"},
      {".a.b[1].c", "'xA'"},
      {".a.b[2]", "2.5"},
      {".a.b[3]", "null"},
      {".a.b[4]", "true"},
      {".a.b[5]", "null"},
      {".a.b", "null"},
      {".a", "null"},
      {".a[0]", "null"},
      {".n.x", "null"},
      {".none", "null"},
      {".big", "9223372036854775807"},
      {".over", "9223372036854775808"},
      {".small", "-9223372036854775808"},
      {"[\"\"]", "'empty'"},
      {".d", "1"},
      {".esc", "'key'"},
      {".deep[0][1]", "2"},
      {".deep[1][0]", "3"},
      {".deep[1][1]", "null"},
      {".one", "1"},
  };
  for (const auto& [path, found] : cases) {
    SCOPED_TRACE(path);
    std::string memory;
    EXPECT_EQ(describe_value(must(JsonPath::parse(path)).find(document, memory)), found);
  }
}

TEST(JsonPath, of_other_documents_there_is_only_null) {
  const JsonPath path = must(JsonPath::parse(".a"));
  std::string memory;
  for (const char* document : {"", "7", "\"a\"", "null", "[]", "{", "{\"b\"", "{}", "nonsense"})
    EXPECT_TRUE(path.find(document, memory).is_null()) << document;
}

TEST(JsonPath, large_documents_are_read_too) {
  std::string document = "{\"filler\": \"" + std::string(200'000, 'x') + "\", \"a\": 5}";
  std::string memory;
  EXPECT_EQ(must(JsonPath::parse(".a")).find(document, memory).i64, 5);
}

}  // namespace
}  // namespace quire
