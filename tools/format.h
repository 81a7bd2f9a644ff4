// The forms of files that `load` reads, by their names and by the endings of files.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quire::tools {

// Text first; from kFvecs on files of vectors (vector_reader.h says what is in them).
enum class Format { kNdjson, kCsv, kFvecs, kBvecs, kFbin, kU8bin, kI8bin, kNpy, kHnswlib };

struct FormatName {
  Format format;
  std::string_view name;    // of --format
  std::string_view ending;  // of a file, in small letters
};

inline constexpr auto kFormats = std::to_array<FormatName>({
    {Format::kNdjson, "ndjson", ".ndjson"},
    {Format::kCsv, "csv", ".csv"},
    {Format::kFvecs, "fvecs", ".fvecs"},
    {Format::kBvecs, "bvecs", ".bvecs"},
    {Format::kFbin, "fbin", ".fbin"},
    {Format::kU8bin, "u8bin", ".u8bin"},
    {Format::kI8bin, "i8bin", ".i8bin"},
    {Format::kNpy, "npy", ".npy"},
    {Format::kHnswlib, "hnswlib", ".hnsw"},
});

// What a .npy file begins with.
inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

constexpr bool is_vector_format(Format format) { return format >= Format::kFvecs; }

inline std::optional<Format> format_by_name(std::string_view name) {
  for (const FormatName& known : kFormats) {
    if (known.name == name) return known.format;
  }
  return std::nullopt;
}

// By the ending of a file's name, in letters of any size.
inline std::optional<Format> format_by_ending(std::string_view file) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (const FormatName& known : kFormats) {
    const std::string_view ending = known.ending;
    if (file.size() < ending.size()) continue;
    const std::string_view end = file.substr(file.size() - ending.size());
    if (std::ranges::equal(end, ending, {}, lower)) return known.format;
  }
  return std::nullopt;
}

// The names that --format takes; without `vectors` those of text alone.
inline std::vector<std::string> format_names(bool vectors) {
  std::vector<std::string> names;
  for (const FormatName& known : kFormats) {
    if (vectors || !is_vector_format(known.format)) names.emplace_back(known.name);
  }
  return names;
}

}  // namespace quire::tools
