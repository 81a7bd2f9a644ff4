#include "tools/npy_header.h"

#include <charconv>
#include <optional>

namespace quire::tools {
namespace {

// Reads the literal front to back; each step says whether it found what it looks for.
class NpyLiteral {
 public:
  explicit NpyLiteral(std::string_view text) : rest_(text) {}

  bool word(std::string_view wanted) {
    skip_blanks();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }
  // 'text' or "text", without escapes.
  std::optional<std::string> text() {
    skip_blanks();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return std::nullopt;
    const std::size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string found(rest_.substr(1, end - 1));
    if (found.find('\\') != std::string::npos) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return found;
  }
  std::optional<std::uint64_t> number() {
    skip_blanks();
    std::uint64_t found = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), found);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    // Python 2 wrote its long integers so.
    if (rest_.starts_with('L')) rest_.remove_prefix(1);
    return found;
  }
  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() {
    const std::size_t first = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }

  std::string_view rest_;
};

// "(3, 4)", "(3,)" or "()".
bool parse_npy_shape(NpyLiteral* literal, std::vector<std::uint64_t>* shape) {
  // NumPy has no more dimensions than this.
  constexpr std::size_t kMaxDimensions = 64;
  if (!literal->word("(")) return false;
  while (!literal->word(")")) {
    const auto length = literal->number();
    if (!length || shape->size() == kMaxDimensions) return false;
    shape->push_back(*length);
    if (!literal->word(",")) return literal->word(")");
  }
  return true;
}

}  // namespace

bool parse_npy_header(std::string_view text, NpyHeader* header, std::string* reason) {
  const auto refuse = [reason](const std::string& why) {
    *reason = why;
    return false;
  };
  NpyLiteral literal(text);
  bool descr = false, order = false, shape = false;
  if (!literal.word("{")) return refuse("its header is no Python dict");
  while (!literal.word("}")) {
    const auto name = literal.text();
    if (!name || !literal.word(":")) return refuse("its header is no Python dict");
    if (*name == "descr" && !descr) {
      const auto type = literal.text();
      if (!type) return refuse("its type is a structure, not a single number");
      header->descr = *type;
      descr = true;
    } else if (*name == "fortran_order" && !order) {
      header->fortran_order = literal.word("True");
      if (!header->fortran_order && !literal.word("False")) {
        return refuse("its fortran_order is neither True nor False");
      }
      order = true;
    } else if (*name == "shape" && !shape) {
      if (!parse_npy_shape(&literal, &header->shape)) {
        return refuse("its shape is no tuple of whole numbers of 64 bits");
      }
      shape = true;
    } else {
      return refuse("its header has a member '" + *name + "' too many");
    }
    if (literal.word(",")) continue;
    if (!literal.word("}")) return refuse("its header is no Python dict");
    break;
  }
  if (!literal.at_end()) return refuse("its header goes on behind the dict");
  if (!descr || !order || !shape) {
    return refuse("its header lacks one of descr, fortran_order and shape");
  }
  return true;
}

}  // namespace quire::tools
