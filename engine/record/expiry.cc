#include "engine/record/expiry.h"

namespace quire {

Status check_has_ttl(const Collection& collection) {
  if (collection.schema().ttl() != collection.schema().size()) return {};
  return collection.failure(ErrorCode::kInvalid,
                            "has no field that says when a record's time is over");
}

bool is_over(const RowView& row, std::int64_t now_us) noexcept {
  const std::size_t field = row.schema().ttl();
  if (field == row.schema().size() || row.is_null(field)) return false;
  return row.value(field).i64 <= now_us;
}

Result<bool> erase_if_over(WriteTxn& txn, const Collection& collection, Bytes key,
                           std::int64_t now_us) {
  QUIRE_TRY(const std::optional<RowView> row, find_row(txn, collection, key));
  if (!row || !is_over(*row, now_us)) return false;
  return change_erase(txn, collection, key);
}

}  // namespace quire
