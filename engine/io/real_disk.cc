// The machine's own disk: paths and directories. What an open file can do is in real_file.cc.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "engine/io/descriptor.h"
#include "engine/io/disk.h"
#include "engine/io/real_file.h"

namespace quire::io {
namespace {

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kOpenOrCreate:
      return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

const char* open_verb(OpenMode mode) { return mode == OpenMode::kCreate ? "create" : "open"; }

// File systems whose maps or locks are not shared between the machines that mount them. FUSE is not
// among them: it says nothing about where the files are.
struct NetworkFilesystem {
  std::uint32_t magic;
  const char* name;
};
constexpr NetworkFilesystem kNetworkFilesystems[] = {
    {0x6969, "nfs"},      {0xFF534D42, "cifs"},  {0xFE534D42, "smb2"}, {0x517B, "smb"},
    {0x01021997, "9p"},   {0x00C36400, "ceph"},  {0x5346414F, "afs"},  {0x6B414653, "afs"},
    {0x73757245, "coda"}, {0x7461636F, "ocfs2"}, {0x01161970, "gfs2"}, {0x0BD00BD0, "lustre"},
};

// What the system gave is given back, also where memory ends before it has found its place.
struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
struct Free {
  void operator()(char* memory) const noexcept { std::free(memory); }
};

// A small file of /proc, which has no size to ask for; at most `most` bytes of it.
Result<std::string> read_small_file(const std::string& path, std::size_t most) {
  RealFile file(path, false);
  if (!file.open(O_RDONLY)) return fail_errno(errno, "open %s", path.c_str());
  std::string text(most, '\0');
  QUIRE_TRY(const std::size_t got,
            file.read_some(0, std::as_writable_bytes(std::span(text.data(), text.size()))));
  text.resize(got);
  return text;
}

// "b1f2..-....": 32 hexadecimal digits with dashes between them.
std::optional<std::array<std::uint64_t, 2>> parse_boot_id(const std::string& text) {
  std::array<std::uint64_t, 2> id{};
  unsigned digits = 0;
  for (const char c : text) {
    unsigned value = 0;
    if (c >= '0' && c <= '9') {
      value = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = static_cast<unsigned>(c - 'a' + 10);
    } else {
      continue;
    }
    if (digits < 32) id[digits / 16] = id[digits / 16] << 4 | value;
    ++digits;
  }
  if (digits != 32) return std::nullopt;
  return id;
}

class RealDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    auto file = std::make_unique<RealFile>(path, mode != OpenMode::kRead);
    if (!file->open(open_flags(mode)))
      return fail_errno(errno, "%s %s", open_verb(mode), path.c_str());
    return file;
  }

  Status make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0777) == 0) return {};
    return fail_errno(errno, "make directory %s", path.c_str());
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return {};
    return fail_errno(errno, "rename %s to %s", from.c_str(), to.c_str());
  }

  Status remove(const std::string& path) override {
    if (std::remove(path.c_str()) == 0) return {};
    return fail_errno(errno, "remove %s", path.c_str());
  }

  Result<bool> exists(const std::string& path) override {
    struct stat status;
    return stat_path(path, status);
  }

  Result<bool> is_directory(const std::string& path) override {
    struct stat status;
    QUIRE_TRY(const bool there, stat_path(path, status));
    return there && S_ISDIR(status.st_mode);
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    // Not std::filesystem: where memory ends, its iterator ends the process.
    const std::unique_ptr<DIR, CloseDirectory> entries(::opendir(directory.c_str()));
    if (entries == nullptr) return fail_errno(errno, "list %s", directory.c_str());
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(entries.get());
      if (entry == nullptr && errno != 0) return fail_errno(errno, "list %s", directory.c_str());
      if (entry == nullptr) break;
      const std::string_view name(entry->d_name);
      if (name != "." && name != "..") names.emplace_back(name);
    }
    std::ranges::sort(names);
    return names;
  }

  Status sync_directory(const std::string& directory) override {
    const int descriptor = retry_interrupted(
        [&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (descriptor < 0) return fail_errno(errno, "open directory %s", directory.c_str());
    const int error = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    // File systems that cannot sync a directory say EINVAL or EBADF; PostgreSQL passes over both,
    // for there is nothing else that could be done.
    if (error == 0 || error == EINVAL || error == EBADF) return {};
    return fail_errno(error, "sync directory %s", directory.c_str());
  }

  Result<bool> may_write(const std::string& path) override {
    // eaccess, not access: open() goes by the effective user too.
    if (::eaccess(path.c_str(), W_OK) == 0) return true;
    if (errno == EACCES || errno == EPERM || errno == EROFS || errno == ETXTBSY) return false;
    return fail_errno(errno, "look at the permissions of %s", path.c_str());
  }

  Result<std::string> network_filesystem(const std::string& path) override {
    struct statfs status;
    if (retry_interrupted([&] { return ::statfs(path.c_str(), &status); }) != 0) {
      return fail_errno(errno, "look at the file system of %s", path.c_str());
    }
    // f_type is signed and of another width on some machines; the magics are 32 bits on all.
    const auto magic = static_cast<std::uint32_t>(status.f_type);
    for (const NetworkFilesystem& known : kNetworkFilesystems) {
      if (known.magic == magic) return std::string(known.name);
    }
    return std::string();
  }

  Result<std::string> canonical_path(const std::string& path) override {
    const std::unique_ptr<char, Free> resolved(::realpath(path.c_str(), nullptr));
    if (resolved == nullptr) return fail_errno(errno, "resolve %s", path.c_str());
    return std::string(resolved.get());
  }

  Result<std::array<std::uint64_t, 2>> boot_id() override {
    if (auto text = read_small_file("/proc/sys/kernel/random/boot_id", 64)) {
      if (const auto id = parse_boot_id(*text)) return *id;
    }
    // Some containers hide the id; the second of the boot is nearly as good.
    QUIRE_TRY(const std::string text, read_small_file("/proc/stat", 1 << 20));
    const std::size_t at = text.find("btime ");
    if (at == std::string::npos) {
      return fail(ErrorCode::kNotSupported, "neither boot_id nor btime in /proc");
    }
    return std::array<std::uint64_t, 2>{std::strtoull(text.c_str() + at + 6, nullptr, 10), 0};
  }

 private:
  // False: there is nothing of that name.
  static Result<bool> stat_path(const std::string& path, struct stat& status) {
    if (::stat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fail_errno(errno, "stat %s", path.c_str());
  }
};

}  // namespace

Disk& real_disk() {
  // Never destroyed: a static database handle may be closed after this file's statics are gone.
  static RealDisk& disk = *new RealDisk;
  return disk;
}

}  // namespace quire::io
