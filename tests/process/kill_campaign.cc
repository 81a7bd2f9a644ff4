// Real processes killed and stopped at random, for long: `./dev kill`. kill_episode.h says what
// must hold.
//
//   kill_campaign [--kills N] [--seed N] [--episode N] [--jobs N]
#include <sched.h>
#include <sys/wait.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "kill_episode.h"

namespace quire::test {
namespace {

namespace fs = std::filesystem;

struct Settings {
  std::uint64_t kills = 300;
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> episode;  // this one alone
  std::uint64_t jobs = 2;
};

constexpr std::uint64_t kKillsOfEpisode = 120;

[[noreturn]] void refuse(const std::string& words) {
  std::fprintf(stderr, "kill: %s\nusage: kill [--kills N] [--seed N] [--episode N] [--jobs N]\n",
               words.c_str());
  std::exit(2);
}

Settings parse(int count, char** arguments) {
  Settings settings;
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = arguments[i];
    const bool known =
        name == "--kills" || name == "--seed" || name == "--episode" || name == "--jobs";
    if (!known) refuse("no option '" + std::string(name) + "'");
    if (i + 1 == count) refuse(std::string(name) + " needs a number");
    const std::string_view text = arguments[i + 1];
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      refuse(std::string(name) + ": '" + std::string(text) + "' is not a number");
    if (name == "--kills") settings.kills = value;
    if (name == "--seed") settings.seed = value;
    if (name == "--episode") settings.episode = value;
    if (name == "--jobs") settings.jobs = value;
  }
  if (settings.kills == 0) refuse("--kills must be at least 1");
  if (settings.jobs == 0 || settings.jobs > 64) refuse("--jobs must be from 1 to 64");
  return settings;
}

// Why processes can't be put into pid namespaces here, and pids not be chosen; "" where they can.
std::string no_namespaces() {
  if (::geteuid() != 0) return "not root";
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWPID) == 0 ? 0 : 1);
  int status = 1;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0)
    return "unshare(CLONE_NEWPID) is refused";
  // Pids are chosen only where they are nobody else's business.
  const char* own = std::getenv("QUIRE_KILL_OWN_PIDS");
  return own != nullptr ? "" : "not in a pid namespace of its own";
}

class Campaign {
 public:
  explicit Campaign(const Settings& settings) : settings_(settings) {
    std::string name = (fs::temp_directory_path() / "quire-kill-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) refuse("no directory for the databases: " + name);
    directory_ = name;
    reason_ = no_namespaces();
  }
  ~Campaign() {
    std::error_code ignored;
    if (failures_ == 0) fs::remove_all(directory_, ignored);
  }
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  int run() {
    if (!reason_.empty())
      std::printf("kill: no pid namespaces and no chosen pids: %s\n", reason_.c_str());
    const std::uint64_t episodes = (settings_.kills + kKillsOfEpisode - 1) / kKillsOfEpisode;
    if (settings_.episode) {
      episode(*settings_.episode);
    } else {
      std::vector<std::thread> lanes;
      for (std::uint64_t lane = 0; lane < settings_.jobs; ++lane) {
        lanes.emplace_back([this, lane, episodes] {
          for (std::uint64_t i = lane; i < episodes && failures_ == 0; i += settings_.jobs)
            episode(i);
        });
      }
      for (std::thread& lane : lanes) lane.join();
    }
    report();
    return failures_ == 0 ? 0 : 1;
  }

 private:
  void episode(std::uint64_t number) {
    const std::string path = directory_ + "/" + std::to_string(number) + ".quire";
    const std::uint64_t kills = std::min(kKillsOfEpisode, settings_.kills);
    try {
      KillEpisode(settings_.seed * 1'000'003 + number, path, reason_.empty(), counts_).run(kills);
      std::error_code ignored;
      fs::remove_all(path, ignored);
    } catch (const std::exception& failure) {
      const std::scoped_lock lock(mutex_);
      ++failures_;
      std::printf(
          "FAILED, episode %llu: %s\n  the database: %s\n  again: ./dev kill --seed %llu "
          "--kills %llu --episode %llu\n",
          static_cast<unsigned long long>(number), failure.what(), path.c_str(),
          static_cast<unsigned long long>(settings_.seed),
          static_cast<unsigned long long>(settings_.kills),
          static_cast<unsigned long long>(number));
    }
  }

  void report() const {
    const auto n = [](const std::atomic<std::uint64_t>& count) {
      return static_cast<unsigned long long>(count.load());
    };
    std::printf(
        "locks lost or damaged %llu, forks %llu, pids used again %llu, processes in "
        "namespaces of their own %llu, held snapshots checked %llu, states looked at %llu\n",
        n(counts_.locks), n(counts_.forks), n(counts_.reused), n(counts_.inner), n(counts_.held),
        n(counts_.looks));
    std::printf(
        "kill: seed %llu: %llu kills (%llu writers, %llu readers), %llu stops, %llu "
        "recoveries, %llu commits checked, %llu failed\n",
        static_cast<unsigned long long>(settings_.seed),
        static_cast<unsigned long long>(counts_.kills()), n(counts_.writers), n(counts_.readers),
        n(counts_.stops), n(counts_.recoveries), n(counts_.commits),
        static_cast<unsigned long long>(failures_.load()));
  }

  Settings settings_;
  std::string directory_;
  std::string reason_;
  KillCounts counts_;
  std::mutex mutex_;
  std::atomic<std::uint64_t> failures_{0};
};

}  // namespace
}  // namespace quire::test

int main(int count, char** arguments) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return quire::test::Campaign(quire::test::parse(count, arguments)).run();
}
