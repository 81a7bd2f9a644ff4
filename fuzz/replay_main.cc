// Replays files through a target, without libFuzzer:
//
//   replay_NAME FILE|DIRECTORY...     each file (of a directory: all in it), in order of names
//   replay_NAME --write-seeds DIR     the target's seeds, as files named by their content
//
// Exit status: 0 all replayed, 2 wrong use or a file that can't be read. A finding ends the process
// behind a line with the name of its file.
#include <algorithm>
#include <cinttypes>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/base/checksum.h"
#include "fuzz/fuzz.h"

namespace {

namespace fs = std::filesystem;

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "replay: %s\n", why.c_str());
  std::exit(2);
}

std::string read_whole(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && !in.eof()) stop("can't read " + path.string());
  return bytes;
}

std::vector<fs::path> files_at(const fs::path& path) {
  if (!fs::exists(path)) stop("there is no " + path.string());
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::size_t replay(const fs::path& path) {
  const std::vector<fs::path> files = files_at(path);
  for (const fs::path& file : files) {
    const std::string bytes = read_whole(file);
    // Said before, because a finding leaves no time afterwards.
    std::printf("%s (%zu bytes)\n", file.string().c_str(), bytes.size());
    std::fflush(stdout);
    quire::fuzz::fuzz_one(quire::as_bytes(bytes));
  }
  return files.size();
}

void write_seeds(const fs::path& directory) {
  fs::create_directories(directory);
  for (const quire::ByteVector& seed : quire::fuzz::seeds()) {
    char name[32];
    std::snprintf(name, sizeof name, "seed-%016" PRIx64, quire::checksum64(seed));
    std::ofstream out(directory / name, std::ios::binary | std::ios::trunc);
    out << quire::as_text(seed);
    if (!out.flush()) stop("can't write " + (directory / name).string());
  }
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  if (arguments.size() == 2 && arguments[0] == "--write-seeds") {
    write_seeds(arguments[1]);
    return 0;
  }
  if (arguments.empty() || arguments[0].starts_with("-")) {
    stop("usage: replay_NAME FILE|DIRECTORY... | replay_NAME --write-seeds DIRECTORY");
  }
  std::size_t files = 0;
  for (const std::string& argument : arguments) files += replay(argument);
  if (files == 0) stop("there is nothing to replay");
  std::printf("%zu inputs replayed\n", files);
  return 0;
}
