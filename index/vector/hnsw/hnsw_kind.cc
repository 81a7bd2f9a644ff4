#include "index/vector/hnsw/hnsw_kind.h"

#include <array>

namespace quire {
namespace hnsw {
namespace {

constexpr std::array<IndexOption, 7> kOptions = {{
    {"field", "field", "", "the vector field"},
    {"metric", "text", "l2; hamming for bits",
     "l2, inner_product, cosine or l1; hamming or jaccard for bits"},
    {"m", "integer", "16", "neighbours of a node, twice as many at the lowest level: 4 to 64"},
    {"ef_construction", "integer", "200", "how wide the search for neighbours is: m to 10000"},
    {"quantizer", "text", "sq8 or f16 for f32, else none",
     "what searches walk by: sq8, f16 or none; answers are exact distances in any case"},
    {"tail_bytes", "integer", "65536", "codes that may wait for being linked: 16384 to 67108864"},
    {"seed", "integer", "0", "of the levels"},
}};

// Lists and numbers change at random, so they lie in single pages. Codes are written once: the more
// of them lie in a block, the fewer addresses of blocks a search has to look up.
enum class Blocks : std::uint8_t { kBySize, kSmall, kLarge };
constexpr std::uint32_t kLargeBlockBytes = 64 << 10;

PageNumber block_pages(Blocks blocks, std::uint32_t element_size,
                       std::uint32_t page_size) noexcept {
  if (blocks == Blocks::kSmall && element_size <= page_size) return 1;
  // Of which under 5% are wasted, as array_block_pages() has it.
  if (blocks == Blocks::kLarge && kLargeBlockBytes % element_size < kLargeBlockBytes / 20)
    return kLargeBlockBytes / page_size;
  return array_block_pages(element_size, page_size);
}

class HnswKind final : public IndexKind {
 public:
  std::string_view name() const noexcept override { return "hnsw"; }
  std::span<const IndexOption> options() const noexcept override { return kOptions; }

  Result<ByteVector> resolve(const Schema& schema, std::string_view asked) const override {
    QUIRE_TRY(const HnswOptions options, parse_hnsw_options(schema, asked));
    return options.encode();
  }

  std::string describe(const Schema& schema, Bytes bytes) const override {
    const auto options = HnswOptions::decode(bytes);
    return options ? describe_hnsw_options(schema, *options) : "{}";
  }

  Result<std::vector<StructureId>> create(WriteTxn& txn, const Schema& schema,
                                          Bytes bytes) const override {
    // Bound to ids that are still to be made: for the sizes of elements.
    QUIRE_TRY(
        const HnswForm form,
        HnswForm::bind(schema, {.id = 0,
                                .name = {},
                                .kind = {},
                                .options = to_vector(bytes),
                                .structures = std::vector<StructureId>(HnswStructures::kCount)}));
    const GraphShape shape = form.shape();
    const auto parameters =
        static_cast<std::uint32_t>(Quantizer::size_bytes(form.codes.dimension()));
    const std::uint32_t page_size = txn.reader().page_size();
    using enum Blocks;
    struct Made {
      std::uint32_t element_size;
      Blocks blocks;
    };
    const Made made[HnswStructures::kCount] = {{kHeadBytes, kBySize},
                                               {parameters, kBySize},
                                               {shape.code_bytes, kLarge},
                                               {shape.code_bytes, kLarge},
                                               {shape.list_bytes(0), kSmall},
                                               {shape.list_bytes(1), kSmall},
                                               {sizeof(PlaceUse), kSmall},
                                               {sizeof(RecordPlace), kSmall},
                                               {form.tail_entry_bytes(), kBySize},
                                               {sizeof(Place), kSmall}};
    std::vector<StructureId> ids;
    for (const Made& each : made) {
      const PageNumber block = block_pages(each.blocks, each.element_size, page_size);
      QUIRE_TRY(const StructureId id, txn.create_array(each.element_size, block));
      ids.push_back(id);
    }
    return ids;
  }

  Result<std::unique_ptr<const Index>> bind(const Schema& schema,
                                            const IndexDefinition& definition) const override {
    QUIRE_TRY(const HnswForm form, HnswForm::bind(schema, definition));
    return std::make_unique<const HnswIndex>(definition.name, form);
  }
};

}  // namespace
}  // namespace hnsw

const IndexKind& hnsw_index_kind() noexcept {
  static const hnsw::HnswKind kind;
  return kind;
}

const hnsw::HnswIndex* as_hnsw(const Index* index) noexcept {
  return dynamic_cast<const hnsw::HnswIndex*>(index);
}

}  // namespace quire
