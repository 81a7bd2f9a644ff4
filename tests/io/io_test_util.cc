#include "tests/io/io_test_util.h"

namespace quire::io {
namespace {

struct RealFixture final : DiskFixture {
  Disk& disk() override { return real_disk(); }
  std::string directory() const override { return temporary.path(); }
  TemporaryDirectory temporary;
};

struct SimulatedFixture final : DiskFixture {
  SimulatedFixture() { must(simulated.make_directory("/work")); }
  Disk& disk() override { return simulated; }
  std::string directory() const override { return "/work"; }
  SimulatedDisk simulated;
};

}  // namespace

std::unique_ptr<DiskFixture> make_fixture(const std::string& kind) {
  if (kind == "real") return std::make_unique<RealFixture>();
  return std::make_unique<SimulatedFixture>();
}

}  // namespace quire::io
