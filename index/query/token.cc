#include "index/query/token.h"

#include "engine/base/checksum.h"

namespace quire::query {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kHead = 1 + 1 + 8 + 4 + 8;
constexpr std::size_t kSum = 8;

std::unexpected<Error> no_token() {
  return fail(ErrorCode::kInvalid, "query: the token is damaged, or none that a query gave");
}

}  // namespace

ByteVector Token::encode() const {
  ByteVector bytes;
  ByteWriter writer(bytes);
  writer.put(kFormat);
  writer.put(static_cast<std::uint8_t>(kind));
  writer.put(asked);
  writer.put(tree);
  writer.put(now);
  writer.put_bytes(as_bytes(std::string_view(position)));
  writer.put(checksum64(bytes));
  return bytes;
}

Result<Token> Token::decode(Bytes bytes) {
  if (bytes.size() < kHead + kSum) return no_token();
  const Bytes body = bytes.first(bytes.size() - kSum);
  if (load_le<std::uint64_t>(bytes.data() + body.size()) != checksum64(body)) return no_token();
  if (load_le<std::uint8_t>(body.data()) != kFormat) return no_token();
  const auto kind = load_le<std::uint8_t>(body.data() + 1);
  if (kind < 1 || kind > 3) return no_token();
  Token token;
  token.kind = static_cast<Kind>(kind);
  token.asked = load_le<std::uint64_t>(body.data() + 2);
  token.tree = load_le<StructureId>(body.data() + 10);
  token.now = load_le<std::int64_t>(body.data() + 14);
  token.position = as_text(body.subspan(kHead));
  return token;
}

}  // namespace quire::query
