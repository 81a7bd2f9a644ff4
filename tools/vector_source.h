// Records of an id and a vector, from the rows of a file of vectors.
#pragma once

#include <memory>
#include <string>

#include "tools/record_source.h"
#include "tools/vector_reader.h"

namespace quire::tools {

// The fields that a row fills.
struct VectorNames {
  std::string id = "id";  // empty: none
  std::string vector = "vector";
};

// Of --vector-fields: "ID,VECTOR", or "VECTOR" for no id. Throws Failure.
VectorNames parse_vector_names(const std::string& option);

class VectorSource : public RecordSource {
 public:
  VectorSource(std::unique_ptr<VectorReader> reader, VectorNames names)
      : reader_(std::move(reader)), names_(std::move(names)) {}

  ReadStatus next(Record* record, std::string* reason) override;
  bool lost_rest() const override { return reader_->lost_rest(); }
  std::uint64_t consumed_bytes() const override { return reader_->consumed_bytes(); }
  // "'base.fvecs', row 5".
  std::string place(std::uint64_t line) const override;

  const VectorNames& names() const { return names_; }
  const VectorReader& reader() const { return *reader_; }

 private:
  std::unique_ptr<VectorReader> reader_;
  VectorNames names_;
  VectorRow row_;
};

// `check_size`: where the size of the file is known it has to be what the header or the first row
// says. Throws Failure, with the file's name, for a wrong header.
std::unique_ptr<VectorSource> make_vector_source(Format format, ByteSource* source,
                                                 VectorNames names, bool check_size);

}  // namespace quire::tools
