// Documents of fields of type json among other JSON, where `null` is no document but null.
//
// The document `null` is written {"$json": null} there. So that no other document looks like that,
// one that is an object with the one member "$json" is wrapped too.
#pragma once

#include <string>
#include <string_view>

namespace quire::tools {

// The document that is meant by a value in JSON: what {"$json": ...} holds, or else the value as it
// is. The text has been parsed before and is known to be good.
std::string_view document_of(std::string_view json);

// A document on one line: line ends stand between its parts only, and become blanks.
void append_document_line(std::string_view document, std::string* out);
// The same, wrapped where it has to be: document_of() gives the document back.
void append_json_document(std::string_view document, std::string* out);

}  // namespace quire::tools
