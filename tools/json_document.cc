#include "tools/json_document.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "tools/json_spans.h"

namespace quire::tools {
namespace {

// Whether the name of a member, in its quotes, is "$json", however it is spelled.
bool is_mark(std::string_view name) {
  if (name.find('\\') == std::string_view::npos) return name == "\"$json\"";
  return nlohmann::json::parse(name.begin(), name.end(), nullptr, false) == "$json";
}

// What {"$json": ...} holds; nothing where the text is anything else.
std::optional<std::string_view> wrapped(std::string_view json) {
  JsonScanner scanner(json);
  if (scanner.peek() != '{') return std::nullopt;
  scanner.skip();
  if (scanner.peek() != '"' || !is_mark(scanner.value())) return std::nullopt;
  if (scanner.peek() == ':') scanner.skip();
  const std::string_view document = scanner.value();
  if (scanner.peek() != '}') return std::nullopt;
  return document;
}

bool is_null_document(std::string_view document) { return JsonScanner(document).value() == "null"; }

}  // namespace

std::string_view document_of(std::string_view json) { return wrapped(json).value_or(json); }

void append_document_line(std::string_view document, std::string* out) {
  for (const char c : document) *out += c == '\n' || c == '\r' ? ' ' : c;
}

void append_json_document(std::string_view document, std::string* out) {
  const bool wrap = is_null_document(document) || wrapped(document);
  if (wrap) *out += "{\"$json\":";
  append_document_line(document, out);
  if (wrap) *out += '}';
}

}  // namespace quire::tools
