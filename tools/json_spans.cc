#include "tools/json_spans.h"

namespace quire::tools {

std::vector<std::string_view> json_members(std::string_view object) {
  std::vector<std::string_view> values;
  JsonScanner scanner(object);
  if (scanner.peek() == '{') scanner.skip();
  while (scanner.peek() == '"') {
    scanner.value();  // the name
    if (scanner.peek() == ':') scanner.skip();
    values.push_back(scanner.value());
    if (scanner.peek() == ',') scanner.skip();
  }
  return values;
}

std::vector<std::string_view> json_elements(std::string_view array) {
  std::vector<std::string_view> values;
  for_each_json_element(array, [&](std::string_view element) {
    values.push_back(element);
    return true;
  });
  return values;
}

}  // namespace quire::tools
