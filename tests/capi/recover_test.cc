// quire_recover through the C interface; what a salvage concludes is tested in tests/db and
// tests/corrupt.
#include <fstream>

#include "capi_world.h"

namespace quire::test {
namespace {

class Recover : public ::testing::Test {
 protected:
  Recover() { make(); }

  std::string old_path() const { return directory_ / "old.quire"; }
  std::string new_path() const { return directory_ / "new.quire"; }

  void make() {
    quire_db* db = nullptr;
    ASSERT_OK(quire_open(old_path().c_str(), nullptr, &db));
    quire_txn* txn = nullptr;
    ASSERT_OK(quire_begin(db, QUIRE_WRITE, &txn));
    quire_keyspace goods = 0;
    ASSERT_OK(quire_keyspace_open(txn, "goods", QUIRE_CREATE, &goods));
    for (int i = 0; i < 500; ++i) {
      const std::string key = "key" + std::to_string(1000 + i);
      const std::string value(100, 'v');
      ASSERT_OK(quire_put(txn, goods, key.data(), key.size(), value.data(), value.size(), 0));
    }
    ASSERT_OK(quire_commit(txn));
    ASSERT_OK(quire_close(db));
  }
  // The last value of the first page that has values: its leaf stays one.
  void spoil_a_leaf() {
    std::fstream data(old_path() + "/data", std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(data)), std::istreambuf_iterator<char>());
    const std::size_t at = bytes.find(std::string(50, 'v'));
    ASSERT_NE(at, std::string::npos);
    data.clear();
    data.seekp(static_cast<std::streamoff>(at + 10));
    data << "V";
  }

  struct Finding {
    std::uint32_t kind;
    std::uint32_t subject;
    std::string name;
    std::string text;
    std::string low;
    std::uint64_t lost_most;
  };
  static int take(void* context, const quire_finding* finding) {
    EXPECT_EQ(finding->size, sizeof *finding);
    auto& test = *static_cast<Recover*>(context);
    test.findings_.push_back({finding->kind,
                              finding->subject,
                              finding->name == nullptr ? "" : finding->name,
                              finding->text,
                              {static_cast<const char*>(finding->low.data), finding->low.size},
                              finding->lost_most});
    return test.stop_ ? 1 : 0;
  }
  int recover(std::uint32_t flags = 0) {
    findings_.clear();
    result_ = {};
    result_.size = sizeof result_;
    quire_recover_options options = QUIRE_RECOVER_OPTIONS_INIT;
    options.flags = flags;
    return quire_recover(old_path().c_str(), new_path().c_str(), &options, take, this, &result_);
  }

  TempDirectory directory_;
  std::vector<Finding> findings_;
  quire_recover_result result_{};
  bool stop_ = false;
};

TEST_F(Recover, OfAGoodDatabaseIsOk) {
  EXPECT_OK(recover());
  EXPECT_EQ(result_.saved, 500u);
  EXPECT_EQ(result_.keyspaces, 1u);
  EXPECT_EQ(result_.collections, 0u);
  EXPECT_EQ(result_.lost_most, 0u);
  ASSERT_EQ(findings_.size(), 1u);
  EXPECT_EQ(findings_[0].kind, static_cast<std::uint32_t>(QUIRE_FINDING_SAVED));
  EXPECT_EQ(findings_[0].subject, static_cast<std::uint32_t>(QUIRE_FINDING_OF_KEYSPACE));
  EXPECT_EQ(findings_[0].name, "goods");
  // The least that may be given.
  EXPECT_OK(quire_recover(old_path().c_str(), (directory_ / "third").c_str(), nullptr, nullptr,
                          nullptr, nullptr));
}

TEST_F(Recover, SaysWhatIsLost) {
  spoil_a_leaf();
  EXPECT_ERROR(recover(), QUIRE_ERR_CORRUPT, "new.quire was made");
  EXPECT_EQ(result_.saved + result_.lost_most, 500u);
  EXPECT_EQ(result_.lost_least, result_.lost_most);
  ASSERT_EQ(findings_.size(), 2u);
  EXPECT_EQ(findings_[0].kind, static_cast<std::uint32_t>(QUIRE_FINDING_LOST));
  EXPECT_EQ(findings_[0].lost_most, result_.lost_most);
  EXPECT_NE(findings_[0].text.find("points to it"), std::string::npos) << findings_[0].text;
  quire_db* db = nullptr;
  ASSERT_OK(quire_open(new_path().c_str(), nullptr, &db));
  EXPECT_OK(quire_check(db, nullptr, nullptr));
  ASSERT_OK(quire_close(db));
}

TEST_F(Recover, UnverifiedIsAsked) {
  spoil_a_leaf();
  EXPECT_CODE(recover(QUIRE_RECOVER_UNVERIFIED), QUIRE_ERR_CORRUPT);
  EXPECT_EQ(result_.saved, 500u);
  EXPECT_EQ(result_.lost_most, 0u);
  EXPECT_EQ(findings_.at(0).kind, static_cast<std::uint32_t>(QUIRE_FINDING_UNVERIFIED));
}

TEST_F(Recover, RefusesWhatMakesNoSense) {
  EXPECT_CODE(quire_recover(nullptr, "x", nullptr, nullptr, nullptr, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_recover(old_path().c_str(), "", nullptr, nullptr, nullptr, nullptr),
              QUIRE_ERR_INVALID);
  EXPECT_ERROR(recover(2), QUIRE_ERR_INVALID, "flags");
  quire_recover_result unsized{};
  EXPECT_ERROR(
      quire_recover(old_path().c_str(), new_path().c_str(), nullptr, nullptr, nullptr, &unsized),
      QUIRE_ERR_INVALID, "size");
  EXPECT_ERROR(quire_recover((directory_ / "none").c_str(), new_path().c_str(), nullptr, nullptr,
                             nullptr, nullptr),
               QUIRE_ERR_NOT_FOUND, "none");
  EXPECT_ERROR(quire_recover(directory_.path().c_str(), new_path().c_str(), nullptr, nullptr,
                             nullptr, nullptr),
               QUIRE_ERR_NOT_DATABASE, "neither 'data' nor 'wal'");
  EXPECT_ERROR(
      quire_recover(old_path().c_str(), old_path().c_str(), nullptr, nullptr, nullptr, nullptr),
      QUIRE_ERR_EXISTS, "old.quire");
  EXPECT_ERROR(quire_recover(old_path().c_str(), (old_path() + "/new").c_str(), nullptr, nullptr,
                             nullptr, nullptr),
               QUIRE_ERR_INVALID, "damaged database");
  stop_ = true;
  EXPECT_CODE(recover(), QUIRE_ERR_CANCELLED);
  EXPECT_FALSE(std::filesystem::exists(new_path()));
}

TEST_F(Recover, IsBusyWhileSomebodyWritesAndLeavesTheFilesAsTheyAre) {
  quire_db* db = nullptr;
  ASSERT_OK(quire_open(old_path().c_str(), nullptr, &db));
  EXPECT_ERROR(recover(), QUIRE_ERR_BUSY, "process");
  ASSERT_OK(quire_close(db));
  const auto written = std::filesystem::last_write_time(old_path() + "/data");
  EXPECT_OK(recover());
  EXPECT_EQ(std::filesystem::last_write_time(old_path() + "/data"), written);
}

}  // namespace
}  // namespace quire::test
