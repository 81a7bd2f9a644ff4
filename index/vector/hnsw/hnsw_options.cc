#include "index/vector/hnsw/hnsw_options.h"

#include <algorithm>
#include <array>
#include <optional>

#include <simdjson.h>

#include "index/ordered/json_text.h"
#include "index/ordered/options_object.h"
#include "index/vector/elements.h"

namespace quire::hnsw {
namespace {

namespace dom = simdjson::dom;

constexpr std::uint8_t kFormat = 1;
constexpr std::array<Metric, 6> kMetrics = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine,
                                            Metric::kL1, Metric::kHamming,      Metric::kJaccard};
constexpr std::array<CodeKind, 3> kCodeKinds = {CodeKind::kRaw, CodeKind::kF16, CodeKind::kSq8};

Metric usual_metric(ElementType elements) noexcept {
  return elements == ElementType::kBits ? Metric::kHamming : Metric::kL2;
}

class OptionsParser {
 public:
  explicit OptionsParser(const Schema& schema) : schema_(schema) {}

  Result<HnswOptions> parse(std::string_view asked) {
    QUIRE_CHECK(for_each_option(parser_, asked, [this](std::string_view name, dom::element value) {
      return take_option(name, value);
    }));
    return finish();
  }

 private:
  Status take_option(std::string_view name, dom::element value) {
    if (name == "field") return take_field(value);
    if (name == "metric") return take_metric(value);
    if (name == "quantizer") return take_quantizer(value);
    if (name == "m") return take_number(name, value, kLeastM, kMostM, options_.m);
    if (name == "ef_construction")
      return take_number(name, value, kLeastM, kMostEfConstruction, options_.ef_construction);
    if (name == "tail_bytes")
      return take_number(name, value, kLeastTailBytes, kMostTailBytes, options_.tail_bytes);
    if (name == "seed") return take_number(name, value, 0, UINT32_MAX, options_.seed);
    return refuse_option(
        name,
        "is not one of an HNSW index: field, metric, m, ef_construction, quantizer, "
        "tail_bytes, seed");
  }

  Status take_field(dom::element value) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS)
      return refuse_option("field", "is the name of a field");
    const std::size_t at = schema_.find(text);
    if (at == schema_.size())
      return refuse_option("field", "'" + std::string(text) + "' is no field");
    const Field& field = schema_.field(at);
    if (!is_vector(field.type))
      return refuse_option("field", "'" + field.name + "' is of the type " +
                                        std::string(type_name(field.type)) +
                                        ", which is no vector");
    field_ = &field;
    return {};
  }

  Status take_metric(dom::element value) {
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) {
      for (const Metric metric : kMetrics)
        if (metric_name(metric) == text) metric_ = metric;
    }
    if (metric_) return {};
    return refuse_option("metric",
                         "is \"l2\", \"inner_product\", \"cosine\", \"l1\", \"hamming\" or "
                         "\"jaccard\"");
  }

  Status take_quantizer(dom::element value) {
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) {
      for (const CodeKind kind : kCodeKinds)
        if (code_kind_name(kind) == text) quantizer_ = kind;
    }
    if (quantizer_) return {};
    return refuse_option("quantizer", R"(is "none", "f16" or "sq8")");
  }

  template <class T>
  Status take_number(std::string_view name, dom::element value, std::uint64_t least,
                     std::uint64_t most, T& to) {
    std::uint64_t number = 0;
    if (value.get_uint64().get(number) != simdjson::SUCCESS || number < least || number > most)
      return refuse_option(
          name, "is a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    to = static_cast<T>(number);
    return {};
  }

  Result<HnswOptions> finish() {
    if (field_ == nullptr) return refuse_option("field", "is missing");
    if (options_.ef_construction < options_.m)
      return refuse_option("ef_construction", "is less than m, " + std::to_string(options_.m));
    const ElementType elements = elements_of(field_->type);
    options_.field = field_->id;
    options_.metric = metric_.value_or(usual_metric(elements));
    options_.quantizer = quantizer_.value_or(usual_code_kind(options_.metric, elements));
    const auto form =
        CodeForm::make(options_.quantizer, options_.metric, elements, field_->dimension);
    if (!form) return std::unexpected(form.error());
    return options_;
  }

  const Schema& schema_;
  dom::parser parser_;
  HnswOptions options_;
  const Field* field_ = nullptr;
  std::optional<Metric> metric_;
  std::optional<CodeKind> quantizer_;
};

void describe(std::string_view name, std::uint64_t value, std::uint64_t initial,
              std::string& json) {
  if (value == initial) return;
  json += ", ";
  append_json_string(name, json);
  json += ": " + std::to_string(value);
}

void describe(std::string_view name, std::string_view value, std::string_view initial,
              std::string& json) {
  if (value == initial) return;
  json += ", ";
  append_json_string(name, json);
  json += ": ";
  append_json_string(value, json);
}

}  // namespace

ByteVector HnswOptions::encode() const {
  ByteVector bytes;
  ByteWriter writer(bytes);
  writer.put(kFormat);
  writer.put(static_cast<std::uint8_t>(metric));
  writer.put(static_cast<std::uint8_t>(quantizer));
  for (const std::uint64_t number :
       {std::uint64_t{field}, std::uint64_t{m}, std::uint64_t{ef_construction}, tail_bytes,
        std::uint64_t{seed}})
    writer.put_varint(number);
  return bytes;
}

Result<HnswOptions> HnswOptions::decode(Bytes bytes) {
  ByteReader reader(bytes);
  const auto format = reader.get<std::uint8_t>();
  const auto metric = reader.get<std::uint8_t>();
  const auto quantizer = reader.get<std::uint8_t>();
  const std::uint64_t field = reader.get_varint();
  const std::uint64_t m = reader.get_varint();
  const std::uint64_t ef = reader.get_varint();
  const std::uint64_t tail = reader.get_varint();
  const std::uint64_t seed = reader.get_varint();
  const bool good = reader.ok() && reader.left() == 0 && format == kFormat &&
                    std::ranges::count(kMetrics, static_cast<Metric>(metric)) == 1 &&
                    std::ranges::count(kCodeKinds, static_cast<CodeKind>(quantizer)) == 1 &&
                    field <= UINT32_MAX && m >= kLeastM && m <= kMostM && ef >= m &&
                    ef <= kMostEfConstruction && tail >= kLeastTailBytes &&
                    tail <= kMostTailBytes && seed <= UINT32_MAX;
  if (!good) return fail(ErrorCode::kCorrupt, "the options of an HNSW index are damaged");
  return HnswOptions{.field = static_cast<FieldId>(field),
                     .metric = static_cast<Metric>(metric),
                     .quantizer = static_cast<CodeKind>(quantizer),
                     .m = static_cast<std::uint32_t>(m),
                     .ef_construction = static_cast<std::uint32_t>(ef),
                     .tail_bytes = tail,
                     .seed = static_cast<std::uint32_t>(seed)};
}

Result<HnswOptions> parse_hnsw_options(const Schema& schema, std::string_view asked) {
  return OptionsParser(schema).parse(asked);
}

std::string describe_hnsw_options(const Schema& schema, const HnswOptions& options) {
  const std::size_t at = schema.find_id(options.field);
  const HnswOptions initial;
  std::string json = "{\"field\": ";
  append_json_string(at == schema.size() ? "(dropped)" : schema.field(at).name, json);
  const ElementType elements =
      at == schema.size() ? ElementType::kF32 : elements_of(schema.field(at).type);
  describe("metric", metric_name(options.metric), metric_name(usual_metric(elements)), json);
  describe("m", options.m, initial.m, json);
  describe("ef_construction", options.ef_construction, initial.ef_construction, json);
  describe("quantizer", code_kind_name(options.quantizer),
           code_kind_name(usual_code_kind(options.metric, elements)), json);
  describe("tail_bytes", options.tail_bytes, initial.tail_bytes, json);
  describe("seed", options.seed, initial.seed, json);
  return json + "}";
}

}  // namespace quire::hnsw
