// Reads the format of Debian's package lists: stanzas of "Field: value" lines, apart by empty
// lines, where a line that begins with a blank continues the one before (deb822(5)).
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "tools/demo/package.h"

namespace quire::demo {

// Calls visit(field, value) for each field of a stanza. The lines of a value that continues are
// joined by line ends, their first blank kept.
void for_each_field(std::string_view stanza,
                    const std::function<void(std::string_view, std::string_view)>& visit);

// Calls visit(stanza) for each stanza.
void for_each_stanza(std::string_view text, const std::function<void(std::string_view)>& visit);

// The packages of /var/lib/dpkg/status or of a Packages file. Stanzas without a name, a version or
// a description (packages that were removed) are left out.
std::vector<Package> parse_packages(std::string_view text);

// An installed size as it is written; nothing where it is no whole number.
std::optional<std::int64_t> whole_number(std::string_view text);

// A file of translated descriptions (Translation-en), in which apt keeps the long ones: calls
// visit(package, long description).
void parse_translations(std::string_view text,
                        const std::function<void(std::string_view, std::string)>& visit);

}  // namespace quire::demo
