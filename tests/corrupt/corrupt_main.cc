// The corruption campaign: damages small databases in every way and at every place, and judges what
// comes of it. `./dev corrupt` builds and runs it; docs/testing.md has the figures.
#include <sys/mman.h>

#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/corrupt/children.h"
#include "tests/corrupt/verdict.h"

namespace quire::test {
namespace {

struct Options {
  bool all = false;
  std::uint64_t cases = 50'000;  // about so many
  std::uint64_t seed = 1;
  std::string scene;  // empty: all
  std::string only;
  std::uint64_t salvage_every = 25;
};

// Shared with the children.
struct Book {
  Place place;
  std::uint64_t unchanged, detected, harmless, wrong;
  std::uint64_t salvages, salvages_wrong;
};

// A case takes milliseconds; one that takes this long is a hang on any machine.
constexpr int kHangSeconds = 120;
constexpr std::uint64_t kWrongShown = 50;

void usage() {
  std::fputs(
      "usage: ./dev corrupt [--all | --cases N] [--salvage-every N] [--seed N]\n"
      "                     [--scene NAME | --only CASE]\n"
      "  --all        every byte of data and log, three ways each (quick: some of them)\n"
      "  --cases N    about so many (50,000)\n"
      "  --salvage-every N\n"
      "               salvages every N-th database whose damage was detected (25)\n"
      "  --seed N     of workloads and mutations (1)\n"
      "  --only CASE  one case, as a failure names it\n"
      "  --scene NAME one of the databases:",
      stderr);
  for (const std::string& name : scene_names()) std::fprintf(stderr, " %s", name.c_str());
  std::fputs("\n", stderr);
}

bool parse_number(const char* text, std::uint64_t& number) {
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc() && stop == end && stop != text;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--all") {
      options.all = true;
      continue;
    }
    ++i;
    if (name == "--seed" && parse_number(value, options.seed)) continue;
    if (name == "--cases" && parse_number(value, options.cases) && options.cases != 0) continue;
    if (name == "--salvage-every" && parse_number(value, options.salvage_every) &&
        options.salvage_every != 0)
      continue;
    if (name == "--scene" && std::ranges::count(scene_names(), value) != 0) {
      options.scene = value;
      continue;
    }
    if (name == "--only" && parse_case(value)) {
      options.only = value;
      continue;
    }
    std::fprintf(stderr, "corrupt: '%s %s' is not understood\n", name.c_str(), value);
    usage();
    return false;
  }
  if (options.all && options.salvage_every == 25) options.salvage_every = 250;
  if (!options.only.empty() && !options.scene.empty()) {
    std::fprintf(stderr, "corrupt: a case names its scene; --scene is for all cases of one\n");
    return false;
  }
  return true;
}

void complain(const Options& options, const std::string& name, const std::string& words) {
  std::printf("WRONG %s: %s\n  replay: ./dev corrupt --seed %" PRIu64 " --only %s\n", name.c_str(),
              words.c_str(), options.seed, name.c_str());
  std::fflush(stdout);
}

void judge_one(const Options& options, const Scene& scene, const Mutation& mutation, Book& book) {
  const Verdict verdict = judge_open(scene, mutation, options.seed);
  ++book.place.moves;
  const std::string name = case_name(scene, mutation);
  switch (verdict.outcome) {
    case Outcome::kUnchanged:
      ++book.unchanged;
      return;
    case Outcome::kDetected:
      ++book.detected;
      break;
    case Outcome::kHarmless:
      ++book.harmless;
      break;
    case Outcome::kWrong:
      if (++book.wrong <= kWrongShown) complain(options, name, verdict.words);
  }
  if (!options.only.empty()) std::printf("open: %s\n", verdict.words.c_str());
  const bool salvage_too =
      !options.only.empty() || mutation.damage == Damage::kWreck ||
      (verdict.outcome == Outcome::kDetected && book.detected % options.salvage_every == 0);
  if (!salvage_too) return;
  const Verdict saved = judge_salvage(scene, mutation, options.seed);
  ++book.place.moves;
  ++book.salvages;
  if (!options.only.empty()) std::printf("salvage: %s\n", saved.words.c_str());
  if (saved.outcome != Outcome::kWrong) return;
  if (++book.salvages_wrong <= kWrongShown) complain(options, name, saved.words);
}

void judge_scene(const Options& options, const Scene& scene, const std::vector<Mutation>& mutations,
                 Book& book) {
  const auto judge = [&](std::uint64_t i) { judge_one(options, scene, mutations[i], book); };
  const auto died = [&](std::uint64_t i) {
    ++book.wrong;
    complain(options, case_name(scene, mutations[i]), "the process crashed or hangs");
  };
  judge_in_children(book.place, mutations.size(), kHangSeconds, judge, died);
}

// How many bytes to pass over between two that are changed.
std::uint64_t stride_for(const Options& options, const Scene& scene) {
  if (options.all) return 1;
  const std::uint64_t wanted = std::max<std::uint64_t>(1, options.cases / scene_names().size());
  const std::uint64_t every = mutations_of(scene, 1, 0, options.seed).size();
  return std::max<std::uint64_t>(1, every / wanted);
}

// Of each scene.
std::uint64_t wrecks_for(const Options& options) {
  constexpr std::uint64_t kShare = 50;  // one wreck to so many other cases
  return options.all ? 2000 : std::max<std::uint64_t>(1, options.cases / kShare);
}

int run(const Options& options) {
  void* const memory =
      ::mmap(nullptr, sizeof(Book), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 2;
  Book& book = *static_cast<Book*>(memory);
  const auto only = parse_case(options.only);
  for (const std::string& name : scene_names()) {
    if (only && only->scene != name) continue;
    if (!options.scene.empty() && options.scene != name) continue;
    const Scene scene = make_scene(name, options.seed);
    std::vector<Mutation> mutations;
    if (only) {
      mutations.push_back(only->mutation);
    } else {
      mutations =
          mutations_of(scene, stride_for(options, scene), wrecks_for(options), options.seed);
    }
    const Book before = book;
    judge_scene(options, scene, mutations, book);
    std::printf("%s: %zu files, %" PRIu64 " bytes of pages, commits %zu to %zu in the log; %" PRIu64
                " detected, %" PRIu64 " harmless\n",
                name.c_str(), scene.files.size(), scene.used_bytes, scene.at_checkpoint, scene.last,
                book.detected - before.detected, book.harmless - before.harmless);
    std::fflush(stdout);
  }
  const std::uint64_t tried = book.detected + book.harmless + book.wrong;
  std::printf("corrupt: %" PRIu64 " tried, %" PRIu64 " detected, %" PRIu64 " harmless, %" PRIu64
              " wrong; %" PRIu64 " salvaged, %" PRIu64 " wrong (seed %" PRIu64 ")\n",
              tried, book.detected, book.harmless, book.wrong, book.salvages, book.salvages_wrong,
              options.seed);
  return book.wrong + book.salvages_wrong == 0 && tried != 0 ? 0 : 1;
}

}  // namespace
}  // namespace quire::test

int main(int argc, char** argv) {
  quire::test::Options options;
  if (!quire::test::parse(argc, argv, options)) return 2;
  return quire::test::run(options);
}
