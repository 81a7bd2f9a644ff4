// Texts of single values: numbers, times, base64, hexadecimal, UTF-8. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quire::tools {

// Well-formed by RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
bool is_valid_utf8(std::string_view text);

std::string to_hex(std::string_view bytes);
// Nothing when it is not an even number of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view text);

// RFC 4648 with padding; nothing when it is not that.
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

// Shortest text that reads back to the same number. A double always looks like one ("1.0"), so that
// types inferred from it are right; not finite: "NaN", "Infinity", "-Infinity".
std::string format_f64(double number);
// Of a finite float in a vector; "1" and not "1.0", for vectors are long.
std::string format_f32(float number);

// Whole text, decimal, no blanks, no leading '+'; nothing when it is not that or is out of range.
std::optional<std::int64_t> parse_i64(std::string_view text);
// Also the names that format_f64 gives for what is not finite. "1e999" is nothing.
std::optional<double> parse_f64(std::string_view text);
std::optional<float> parse_f32(std::string_view text);
std::optional<bool> parse_bool(std::string_view text);  // "true", "false"

// How a number is spelled in JSON. CSV cells count as numbers only when they look like this, so
// that "007" and "+1" stay texts.
enum class NumberForm { kNone, kInteger, kFloat };
NumberForm number_form(std::string_view text);

// "2024-05-01T12:00:00.5Z"; microseconds since 1970 UTC where the year is not in 0 to 9999.
std::string format_timestamp(std::int64_t micros);
// ISO 8601: a date, or date and time with up to six decimals and an optional zone ("Z", "+02:00";
// none means UTC); or an integer: microseconds since 1970 UTC.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace quire::tools
