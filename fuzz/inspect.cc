// quire_inspect, which describes the files of what may be no database any more.
//
// What the input is: changes to the data, the log and the `lock` of a small database, and what of
// them is to be described.
//
// What is promised: an error with a sentence, or one JSON text, in bounded time and memory; the
// files are as they were.
#include <quire/quire.h>

#include <fstream>

#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/small_database.h"
#include "fuzz/temporary_directory.h"

namespace quire::fuzz {
namespace {

const Base& base() {
  static const Base base = build(kKilled);
  return base;
}

// Brackets and texts, which is all that can go wrong when JSON is put together by hand.
bool is_json(std::string_view text) {
  std::string open;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) return false;
    if (inside) {
      if (c == '\\') ++i;
      if (c == '"') inside = false;
    } else if (c == '"') {
      inside = true;
    } else if (c == '{' || c == '[') {
      open += c;
    } else if (c == '}' || c == ']') {
      if (open.empty() || open.back() != (c == '}' ? '{' : '[')) return false;
      open.pop_back();
      if (open.empty() && i + 1 != text.size()) return false;
    }
  }
  return !text.empty() && open.empty() && !inside;
}

void put(const std::string& path, Bytes bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << as_text(bytes);
}

void describe(std::uint32_t what, std::uint64_t number) {
  char* json = nullptr;
  const int code = quire_inspect(temporary_directory().database().c_str(), what, number, &json);
  if (code != QUIRE_OK) {
    demand(json == nullptr, "JSON beside an error");
    return demand(*quire_last_error() != '\0', "an error without a sentence");
  }
  const bool good = is_json(json);
  if (!good) found(std::string("this is not JSON: ") + json);
  quire_free(json);
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  const std::string path = temporary_directory().database();
  temporary_directory().empty();
  std::filesystem::create_directories(path + "/wal");
  Files files;
  for (const auto& [name, content] : base().files)
    files[path + name.substr(kPath.size())] = content;
  // The reader table is long and empty: its beginning will do.
  files[path + "/lock"] = to_vector(
      Bytes(base().lock).first(std::min<std::size_t>(base().lock.size(), std::size_t{64} << 10)));
  std::vector<std::string> names;
  for (const auto& [name, content] : files) names.push_back(name);
  const std::size_t changes = input.byte() % (Edits::kMost + 1);
  for (std::size_t i = 0; i < changes; ++i) {
    ByteVector& content = files[names[input.byte() % names.size()]];
    const std::uint8_t how = input.byte();
    if (how < 8) content.resize(input.take<std::uint16_t>());
    Edits::apply_one(input, content, how < 128 ? input.take<std::uint16_t>() : input.byte() * 4U);
  }
  if (input.flag()) {
    fix_pages(files[path + "/data"], 0);
    fix_pages(files[path + "/data"], kPage);
  }
  for (const auto& [name, content] : files) put(name, content);
  describe(QUIRE_INSPECT_META, 0);
  describe(QUIRE_INSPECT_READERS, 0);
  describe(QUIRE_INSPECT_SEGMENT, input.byte() % 8);
  for (int i = 0; i < 4; ++i) describe(QUIRE_INSPECT_PAGE, input.byte() % 80);
  describe(QUIRE_INSPECT_PAGE, input.take<std::uint64_t>());
  describe(input.byte(), 0);
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  for (std::uint8_t file = 0; file < 5; ++file)
    all.push_back({std::byte{2}, std::byte{file}, std::byte{200}, std::byte{9}, std::byte{8},
                   std::byte{1}, std::byte{file}, std::byte{60}, std::byte{16}, std::byte{0},
                   std::byte{2}, std::byte{3}, std::byte{1}, std::byte{0}});
  all.push_back({std::byte{0}});
  return all;
}

}  // namespace quire::fuzz
