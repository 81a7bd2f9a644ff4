#include "tools/shell_words.h"

#include "tools/failure.h"

namespace quire::tools {
namespace {

class Splitter {
 public:
  explicit Splitter(std::string_view line) : line_(line) {}

  std::vector<std::string> split() {
    for (; at_ < line_.size(); ++at_) {
      const char c = line_[at_];
      if (c == ' ' || c == '\t' || c == '\r') {
        end_word();
      } else if (c == '#' && !in_word_) {
        break;
      } else {
        in_word_ = true;
        take(c);
      }
    }
    end_word();
    return std::move(words_);
  }

 private:
  void take(char c) {
    if (c == '\'' || c == '"') {
      take_quoted(c);
    } else if (c == '\\' && at_ + 1 < line_.size()) {
      word_ += line_[++at_];
    } else {
      word_ += c;
    }
  }
  void take_quoted(char quote) {
    for (++at_; at_ < line_.size() && line_[at_] != quote; ++at_) {
      const bool escape = quote == '"' && line_[at_] == '\\' && at_ + 1 < line_.size() &&
                          (line_[at_ + 1] == '"' || line_[at_ + 1] == '\\');
      if (escape) ++at_;
      word_ += line_[at_];
    }
    if (at_ == line_.size()) throw Failure("a quote that is not closed");
  }
  void end_word() {
    if (in_word_) words_.push_back(std::move(word_));
    word_.clear();
    in_word_ = false;
  }

  std::string_view line_;
  std::size_t at_ = 0;
  bool in_word_ = false;
  std::string word_;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> split_words(std::string_view line) { return Splitter(line).split(); }

}  // namespace quire::tools
