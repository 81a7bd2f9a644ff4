#include "tools/demo/catalog.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

#include "tools/byte_source.h"
#include "tools/demo/packages_parser.h"
#include "tools/demo/user_file.h"

namespace quire::demo {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStatusFile = "/var/lib/dpkg/status";
constexpr const char* kListsDirectory = "/var/lib/apt/lists";
constexpr std::size_t kNameBytesMax = 1'000;  // a key of Quire's has room for this at any page size

using Index = std::unordered_map<std::string, std::size_t>;  // by name, into Catalog::packages

std::string read_plain(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return std::move(text).str();
}

std::string in_shell_quotes(const std::string& text) {
  std::string out = "'";
  for (const char byte : text) out += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  return out + "'";
}

// apt keeps its lists compressed in one of several ways; its own helper knows them all.
std::string read_through_apt(const fs::path& path) {
  const std::string command =
      "/usr/lib/apt/apt-helper cat-file " + in_shell_quotes(path) + " 2>/dev/null";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run apt-helper");
  std::string text;
  std::vector<char> buffer(std::size_t{1} << 16);
  for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), size);
  }
  if (pclose(pipe) != 0) throw std::runtime_error("apt-helper cannot read " + path.string());
  return text;
}

std::string read_list(const fs::path& path) {
  const bool compressed = path.filename().string().find("_Packages.") != std::string::npos ||
                          path.filename().string().find("_Translation-en.") != std::string::npos;
  return compressed ? read_through_apt(path) : read_plain(path);
}

// The lists whose names have `mark` before their suffix, in order of names: security updates stand
// before updates, and these before the release.
std::vector<fs::path> lists_with(const std::string& root, const std::string& mark) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(root + kListsDirectory, error)) {
    const std::string name = entry.path().filename();
    const std::size_t at = name.rfind(mark);
    if (at == std::string::npos) continue;
    const char after = name.c_str()[at + mark.size()];
    if (after == '\0' || after == '.') paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The first source that has a package wins.
void add_packages(Catalog& catalog, Index& index, const std::string& path,
                  std::vector<Package> packages) {
  Source source{path, 0};
  for (Package& package : packages) {
    if (package.name.size() > kNameBytesMax) {
      catalog.problems.push_back("key longer than 1,000 bytes: " + package.name.substr(0, 40) +
                                 "...");
      continue;
    }
    for (std::string* text : {&package.name, &package.version, &package.section, &package.priority,
                              &package.maintainer, &package.summary, &package.description}) {
      *text = valid_utf8(std::move(*text));
    }
    if (!index.emplace(package.name, catalog.packages.size()).second) continue;
    catalog.packages.push_back(std::move(package));
    ++source.packages;
  }
  catalog.sources.push_back(source);
}

// apt's lists have summaries alone; where the long descriptions were fetched, they are added.
void add_translations(Catalog& catalog, const Index& index, const std::string& path,
                      const std::string& text) {
  Source source{path, 0};
  parse_translations(text, [&](std::string_view name, std::string description) {
    const auto found = index.find(std::string(name));
    if (found == index.end() || !catalog.packages[found->second].description.empty()) return;
    catalog.packages[found->second].description = valid_utf8(std::move(description));
  });
  catalog.sources.push_back(source);
}

// A source that can't be read is a problem to report, not the end: the others may do.
template <typename Action>
void guarded(Catalog& catalog, const Action& action) {
  try {
    action();
  } catch (const std::exception& error) {
    catalog.problems.emplace_back(error.what());
  }
}

Catalog read_machine(const std::string& root) {
  Catalog catalog;
  Index index;
  if (fs::exists(root + kStatusFile)) {
    guarded(catalog, [&] {
      const std::string path = root + kStatusFile;
      add_packages(catalog, index, path, parse_packages(read_plain(path)));
    });
  }
  for (const fs::path& path : lists_with(root, "_Packages")) {
    guarded(catalog, [&] { add_packages(catalog, index, path, parse_packages(read_list(path))); });
  }
  for (const fs::path& path : lists_with(root, "_Translation-en")) {
    guarded(catalog, [&] { add_translations(catalog, index, path, read_list(path)); });
  }
  if (catalog.packages.empty()) {
    throw std::runtime_error(
        "no package catalogue on this machine: neither " + root + kStatusFile + " nor " + root +
        kListsDirectory +
        "/*_Packages* has packages.\n"
        "Give the demo a file of your own instead: --file FILE.csv (first line: the names of the\n"
        "columns) or --file FILE.ndjson (one JSON object a line). The key is the column 'name' or\n"
        "'id', or the one that --key names; 'section', 'summary' and 'description' are used when\n"
        "they are there.");
  }
  return catalog;
}

Catalog read_user_file(const CatalogRequest& request) {
  tools::FileSource in(request.file);
  const std::string extension = fs::path(request.file).extension();
  const bool json = extension == ".ndjson" || extension == ".jsonl" || extension == ".json";
  UserRecords records = json ? read_ndjson(in, request.key) : read_csv(in, request.key);
  Catalog catalog;
  catalog.problems = std::move(records.problems);
  Index index;
  add_packages(catalog, index, request.file, std::move(records.packages));
  return catalog;
}

// Lists are sorted by name. Records of a live system are not, so they come in the order of a hash.
void scatter(std::vector<Package>& packages) {
  const auto hash = [](const std::string& name) {
    std::uint64_t value = 0xcbf29ce484222325ULL;  // FNV-1a: the same on every machine
    for (const char byte : name)
      value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
    return value ^ (value >> 32);
  };
  std::sort(packages.begin(), packages.end(), [&](const Package& a, const Package& b) {
    const std::uint64_t hash_a = hash(a.name);
    const std::uint64_t hash_b = hash(b.name);
    return hash_a != hash_b ? hash_a < hash_b : a.name < b.name;
  });
}

// Length of the UTF-8 character at `at`, 0 when there is none.
std::size_t character_size(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  // Longer than needed, a surrogate, or past the last code point.
  const unsigned second = byte(at + 1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return size;
}

}  // namespace

Catalog read_catalog(const CatalogRequest& request) {
  Catalog catalog = request.file.empty() ? read_machine(request.root) : read_user_file(request);
  scatter(catalog.packages);
  if (request.limit != 0 && catalog.packages.size() > request.limit) {
    catalog.packages.resize(request.limit);
  }
  return catalog;
}

std::string valid_utf8(std::string text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text, at);
    if (size == 0) text[at] = '?';
    at += std::max<std::size_t>(size, 1);
  }
  return text;
}

}  // namespace quire::demo
