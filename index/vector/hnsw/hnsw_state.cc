#include "index/vector/hnsw/hnsw_state.h"

#include <algorithm>

#include "index/vector/elements.h"

namespace quire::hnsw {
namespace {

constexpr std::uint32_t kLayout = 1;

std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::kCorrupt, "an HNSW index: %s", what);
}

Status check_elements(const char* name, const ArrayRoot& array, std::uint32_t bytes) {
  if (array.element_size == bytes) return {};
  return fail(ErrorCode::kCorrupt,
              "an HNSW index: its array of %s has elements of %u bytes, not %u", name,
              array.element_size, bytes);
}

// The bytes of an element, which borrow from the view; nothing where the array is shorter.
Result<std::optional<Bytes>> read_element(View& view, const ArrayRoot& array, std::uint64_t i) {
  if (i >= array.size) return std::nullopt;
  ArrayView elements(view.reader(), array);
  const std::byte* element = elements.at(i);
  if (element == nullptr) return std::unexpected(elements.take_error());
  return Bytes(element, array.element_size);
}

Status check_state(const HnswForm& form, const HnswState& state) {
  const HnswHead& head = state.head;
  const std::uint64_t nodes = state.roots.lists.size == 0 ? 0 : state.roots.lists.size - 1;
  if (state.dead.size > nodes || head.free_places > nodes - state.dead.size)
    return damaged("more places are dead or free than there are");
  if (head.calibration.linked > head.linked)
    return damaged("more was linked when it was calibrated than ever was");
  if (head.repaired > state.dead.size) return damaged("more places are repaired than are dead");
  if ((head.first_free == kNoPlace) != (head.free_places == 0) || head.first_free > nodes)
    return damaged("its first free place can't be one");
  if (nodes != 0 && form.codes.is_trained() && !state.quantizer)
    return damaged("it has nodes and no parameters for their codes");
  if (state.tail.size > kEndOfPlaces) return damaged("its tail is longer than one can be");
  return {};
}

}  // namespace

HnswStructures HnswStructures::of(std::span<const StructureId> ids) noexcept {
  return {.head = ids[0],
          .quantizer = ids[1],
          .codes = {ids[2], ids[3]},
          .lists = ids[4],
          .upper = ids[5],
          .records = ids[6],
          .places = ids[7],
          .tail = ids[8],
          .dead = ids[9]};
}

GraphShape HnswForm::shape() const noexcept {
  return {.m = options.m,
          .ef_construction = options.ef_construction,
          .seed = options.seed,
          .code_bytes = codes.code_bytes()};
}

std::uint64_t HnswForm::tail_bound() const noexcept {
  return std::max<std::uint64_t>(1, options.tail_bytes / tail_entry_bytes());
}

Result<HnswForm> HnswForm::bind(const Schema& schema, const IndexDefinition& definition) {
  if (definition.structures.size() != HnswStructures::kCount)
    return fail(ErrorCode::kCorrupt, "an HNSW index has %zu structures, not %zu",
                HnswStructures::kCount, definition.structures.size());
  QUIRE_TRY(const HnswOptions options, HnswOptions::decode(definition.options));
  const std::size_t field = schema.find_id(options.field);
  if (field == schema.size() || !is_vector(schema.field(field).type))
    return damaged("its field is not one of the collection's vectors");
  const Field& vector = schema.field(field);
  auto codes =
      CodeForm::make(options.quantizer, options.metric, elements_of(vector.type), vector.dimension);
  if (!codes)
    return fail(ErrorCode::kCorrupt, "an HNSW index: %s", codes.error().message().c_str());
  return HnswForm{.options = options,
                  .field = field,
                  .vector_place = schema.vector_place(field),
                  .codes = *codes,
                  .structures = HnswStructures::of(definition.structures)};
}

ByteVector HnswForm::encode_head(const HnswHead& head) const {
  ByteVector bytes;
  ByteWriter writer(bytes);
  for (const std::uint32_t number :
       {kLayout, codes.dimension(), options.m, options.ef_construction, options.seed})
    writer.put(number);
  writer.put(static_cast<std::uint8_t>(options.metric));
  writer.put(static_cast<std::uint8_t>(options.quantizer));
  writer.put(head.current);
  writer.put(std::uint8_t{0});
  writer.put(head.quantizer_version);
  writer.put(head.graph.entry);
  writer.put(head.graph.generation);
  writer.put(head.first_free);
  writer.put(head.free_places);
  writer.put(head.repaired);
  writer.put(head.linked);
  head.calibration.encode(writer);
  bytes.resize(kHeadBytes);
  return bytes;
}

Result<HnswHead> HnswForm::decode_head(Bytes bytes) const {
  ByteReader reader(bytes);
  if (reader.get<std::uint32_t>() != kLayout)
    return fail(ErrorCode::kVersion, "an HNSW index has a layout that this library does not know");
  for (const std::uint32_t number :
       {codes.dimension(), options.m, options.ef_construction, options.seed})
    if (reader.get<std::uint32_t>() != number) return damaged("its head is another index's");
  if (reader.get<std::uint8_t>() != static_cast<std::uint8_t>(options.metric) ||
      reader.get<std::uint8_t>() != static_cast<std::uint8_t>(options.quantizer))
    return damaged("its head is another index's");
  HnswHead head;
  head.current = reader.get<std::uint8_t>();
  const auto zero = reader.get<std::uint8_t>();
  head.quantizer_version = reader.get<std::uint32_t>();
  head.graph.entry = reader.get<std::uint32_t>();
  head.graph.generation = reader.get<std::uint64_t>();
  head.first_free = reader.get<std::uint32_t>();
  head.free_places = reader.get<std::uint32_t>();
  head.repaired = reader.get<std::uint32_t>();
  head.linked = reader.get<std::uint64_t>();
  QUIRE_TRY(head.calibration, Calibration::decode(reader));
  const Bytes rest = reader.get_bytes(reader.left());
  if (!reader.ok() || head.current > 1 || zero != 0 ||
      std::ranges::any_of(rest, [](std::byte byte) { return byte != std::byte{0}; }))
    return damaged("its head is damaged");
  return head;
}

Result<HnswState> HnswState::read(View& view, const HnswForm& form) {
  HnswState state;
  const HnswStructures& ids = form.structures;
  QUIRE_TRY(const ArrayRoot head, view.array_root(ids.head));
  QUIRE_CHECK(check_elements("the head", head, kHeadBytes));
  QUIRE_TRY(const auto bytes, read_element(view, head, 0));
  if (bytes) {
    QUIRE_TRY(state.head, form.decode_head(*bytes));
  }
  if (form.codes.is_trained() && state.head.quantizer_version != 0) {
    QUIRE_TRY(const ArrayRoot parameters, view.array_root(ids.quantizer));
    QUIRE_TRY(const auto element, read_element(view, parameters, state.head.current));
    if (!element) return damaged("its parameters are missing");
    QUIRE_TRY(state.quantizer, Quantizer::decode_parameters(*element, form.codes.dimension()));
    if (state.quantizer->version() != state.head.quantizer_version)
      return damaged("its parameters are of another version");
  }
  QUIRE_TRY(state.roots.codes, view.array_root(ids.codes[state.head.current]));
  QUIRE_TRY(state.roots.lists, view.array_root(ids.lists));
  QUIRE_TRY(state.roots.upper, view.array_root(ids.upper));
  QUIRE_TRY(state.roots.records, view.array_root(ids.records));
  QUIRE_TRY(state.places, view.array_root(ids.places));
  QUIRE_TRY(state.tail, view.array_root(ids.tail));
  QUIRE_TRY(state.dead, view.array_root(ids.dead));
  QUIRE_CHECK(check_elements("places", state.places, sizeof(RecordPlace)));
  QUIRE_CHECK(check_elements("the tail", state.tail, form.tail_entry_bytes()));
  QUIRE_CHECK(check_elements("dead places", state.dead, sizeof(Place)));
  QUIRE_CHECK(check_state(form, state));
  return state;
}

std::uint64_t HnswState::live_nodes() const noexcept {
  const std::uint64_t nodes = roots.lists.size == 0 ? 0 : roots.lists.size - 1;
  return nodes - head.free_places - dead.size;
}

Result<GraphView> HnswState::graph(View& view, const HnswForm& form) const {
  return GraphView::open(view.reader(), roots, form.shape(), head.graph);
}

}  // namespace quire::hnsw
