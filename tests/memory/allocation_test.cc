// Memory ends at every demand of a workload in turn: the call says so, what was committed is there,
// what was not is not, nothing stays locked, and the database goes on.
//
// QUIRE_TEST_LONG=1 tries every demand (./dev memory does); else a part of them. QUIRE_TEST_FIRST=N
// begins at the N-th.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "workload.h"

namespace quire::test {
namespace {

bool long_run() { return std::getenv("QUIRE_TEST_LONG") != nullptr; }

class Allocation : public testing::TestWithParam<std::tuple<Setting, Fault>> {};

TEST_P(Allocation, EndsAtEveryDemand) {
  const auto& [setting, fault] = GetParam();
  std::uint64_t tried = 0;
  std::uint64_t poisoned = 0;
  std::uint64_t demands = 0;
  // A prime, so that the part that is tried has some of each kind.
  const std::uint64_t step = long_run() ? 1 : 41;
  const char* first = std::getenv("QUIRE_TEST_FIRST");
  for (std::uint64_t n = first != nullptr ? std::strtoull(first, nullptr, 10) : 1;; n += step) {
    place = std::string(setting.name) + ", " + (fault == Fault::kOnce ? "once" : "from on") +
            ", demand " + std::to_string(n);
    const TempDirectory directory;
    const std::string path = directory / "db";
    memory::fail_at(0, fault);
    std::unique_ptr<OtherReader> other;
    if (setting.reader) {
      quire_db* db = nullptr;
      ASSERT_OK(quire_open(path.c_str(), nullptr, &db));
      ASSERT_OK(quire_close(db));
      other = std::make_unique<OtherReader>(path);
      ASSERT_TRUE(other->opened);
    }
    memory::fail_at(n, fault);
    Workload workload(setting, path);
    workload.all();
    if (HasFatalFailure() || HasNonfatalFailure()) return;
    demands = std::max(demands, memory::demands());
    if (memory::refused() == 0) break;
    ++tried;
    poisoned += static_cast<std::uint64_t>(workload.poisoned);
  }
  std::printf("%s: memory ended at %llu of %llu demands; %llu poisoned\n", place.c_str(),
              static_cast<unsigned long long>(tried), static_cast<unsigned long long>(demands),
              static_cast<unsigned long long>(poisoned));
  RecordProperty("tried", std::to_string(tried));
}

const Setting kSettings[] = {
    {"alone", QUIRE_OPEN_NO_BACKGROUND, 0, false},
    {"background", 0, 0, false},
    {"reader", QUIRE_OPEN_NO_BACKGROUND, QUIRE_DURABILITY_ALWAYS, true},
    {"archive", QUIRE_OPEN_NO_BACKGROUND | QUIRE_OPEN_ARCHIVE, QUIRE_DURABILITY_OS, false},
    {"batch", 0, QUIRE_DURABILITY_BATCH, true},
};

INSTANTIATE_TEST_SUITE_P(Memory, Allocation,
                         testing::Combine(testing::ValuesIn(kSettings),
                                          testing::Values(Fault::kOnce, Fault::kFromOn)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) +
                                  (std::get<1>(test.param) == Fault::kOnce ? "_once" : "_from_on");
                         });

}  // namespace
}  // namespace quire::test
