#include "engine/base/result.h"

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <system_error>

namespace quire {
namespace {

constexpr std::array<std::string_view, 38> kNames = {"ok",
                                                     "not_found",
                                                     "exists",
                                                     "invalid",
                                                     "key_size",
                                                     "value_size",
                                                     "type",
                                                     "schema",
                                                     "not_database",
                                                     "version",
                                                     "byte_order",
                                                     "wrong_id",
                                                     "page_size",
                                                     "corrupt",
                                                     "truncated",
                                                     "log_damaged",
                                                     "busy",
                                                     "timeout",
                                                     "read_only",
                                                     "permission",
                                                     "full",
                                                     "quota",
                                                     "io",
                                                     "too_many_files",
                                                     "no_memory",
                                                     "poisoned",
                                                     "closed",
                                                     "forked",
                                                     "thread",
                                                     "too_large",
                                                     "not_supported",
                                                     "needs_recovery",
                                                     "lock_lost",
                                                     "readers_full",
                                                     "conflict",
                                                     "cancelled",
                                                     "unique",
                                                     "budget"};

// What stands where there is no memory for a sentence. The names are short enough to lie in the
// strings themselves, so that making these needs none either.
const std::string& name_as_sentence(ErrorCode code) noexcept {
  static const auto* names = [] {
    alignas(std::string) static std::byte memory[kNames.size() * sizeof(std::string)];
    auto* made = reinterpret_cast<std::string*>(memory);
    for (std::size_t i = 0; i < kNames.size(); ++i) std::construct_at(made + i, kNames[i]);
    return made;
  }();
  return names[static_cast<std::size_t>(code)];
}

std::string format_message(const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, arguments);
  std::string text(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  if (size > 0) std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

// With the system's own words behind, where there is an errno. Without memory the code says it.
Error make_error(ErrorCode code, std::optional<int> number, const char* format,
                 va_list arguments) noexcept try {
  std::string text = format_message(format, arguments);
  if (number) {
    text += ": ";
    text += std::generic_category().message(*number);
  }
  return {code, std::move(text)};
} catch (const std::bad_alloc&) {
  return Error(code);
}

ErrorCode code_of_errno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kExists;
    case EACCES:
    case EPERM:
      return ErrorCode::kPermission;
    case EROFS:
      return ErrorCode::kReadOnly;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::kFull;
    case EMFILE:
    case ENFILE:
      return ErrorCode::kTooManyFiles;
    case ENOMEM:
      return ErrorCode::kNoMemory;
    case EINVAL:
      return ErrorCode::kInvalid;
    case ENOSYS:
    case EOPNOTSUPP:
      return ErrorCode::kNotSupported;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

std::string_view error_name(ErrorCode code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return index < kNames.size() ? kNames[index] : "unknown";
}

Error::Error(ErrorCode code, std::string message) noexcept
    : code_(code), sentence_(new(std::nothrow) Sentence{std::move(message)}) {}

const std::string& Error::message() const noexcept {
  return sentence_ != nullptr ? sentence_->text : name_as_sentence(code_);
}

Error Error::with_context(std::string_view context) const noexcept try {
  std::string text(context);
  text += ": ";
  text += message();
  return {code_, std::move(text)};
} catch (const std::bad_alloc&) {
  return *this;
}

std::unexpected<Error> fail(ErrorCode code, const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  Error error = make_error(code, {}, format, arguments);
  va_end(arguments);
  return std::unexpected(std::move(error));
}

std::unexpected<Error> fail_errno(int error, const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  Error made = make_error(code_of_errno(error), error, format, arguments);
  va_end(arguments);
  return std::unexpected(std::move(made));
}

}  // namespace quire
