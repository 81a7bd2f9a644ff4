// Where loaded records go: a collection or a keyspace, over many transactions.
#pragma once

#include <quire/quire.hpp>

#include <memory>
#include <optional>
#include <string>

#include "tools/convert.h"
#include "tools/record.h"
#include "tools/schema.h"

namespace quire::tools {

class RecordSink {
 public:
  virtual ~RecordSink() = default;

  // To be called first in every transaction; makes the target where it is not there.
  virtual void begin(Transaction* txn) = 0;
  // False, and why, when the record is at fault and nothing was changed; other errors are thrown.
  virtual bool store(const Record& record, std::string* reason) = 0;
};

class CollectionSink : public RecordSink {
 public:
  CollectionSink(std::string name, Schema schema, bool upsert, bool ignore_unknown)
      : name_(std::move(name)),
        schema_(std::move(schema)),
        row_(schema_, ignore_unknown),
        upsert_(upsert) {}

  void begin(Transaction* txn) override;
  bool store(const Record& record, std::string* reason) override;

 private:
  std::string name_;
  Schema schema_;
  RowBuilder row_;
  bool upsert_;
  std::optional<Collection> collection_;
};

// Records of "key" and "value", or "key_hex" and "value_hex", as `dump` writes them.
class KeyspaceSink : public RecordSink {
 public:
  KeyspaceSink(std::string name, bool upsert) : name_(std::move(name)), upsert_(upsert) {}

  void begin(Transaction* txn) override;
  bool store(const Record& record, std::string* reason) override;

 private:
  std::string name_;
  bool upsert_;
  std::optional<Keyspace> keyspace_;
};

}  // namespace quire::tools
