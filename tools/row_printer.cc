#include "tools/row_printer.h"

#include "tools/csv_reader.h"
#include "tools/failure.h"
#include "tools/value_text.h"

namespace quire::tools {

RowPrinter::RowPrinter(const Schema& schema, std::span<const std::size_t> selected, RowForm form,
                       Output* output)
    : schema_(schema), selected_(selected), form_(form), output_(output) {
  std::vector<Column> columns;
  for (const std::size_t i : selected) {
    columns.push_back({schema.fields[i].name, is_numeric(schema.fields[i].type)});
    if (form == RowForm::kCsv) {
      if (columns.size() > 1) line_ += ',';
      append_csv_cell(schema.fields[i].name, &line_);
    }
  }
  if (form == RowForm::kCsv) output->write(line_ += '\n');
  if (form == RowForm::kTable) table_.emplace(std::move(columns), output, terminal_width());
}

void RowPrinter::add(std::span<const Value> values) {
  line_.clear();
  switch (form_) {
    case RowForm::kTable: {
      std::vector<std::string> row;
      for (const std::size_t i : selected_) row.push_back(value_for_table(values[i]));
      table_->add(std::move(row));
      return;
    }
    case RowForm::kJson:
      append_json_record(schema_, values, selected_, &line_);
      break;
    case RowForm::kCsv:
      add_csv(values);
      break;
  }
  output_->write(line_ += '\n');
}

void RowPrinter::add_csv(std::span<const Value> values) {
  for (std::size_t column = 0; column < selected_.size(); ++column) {
    const Value& value = values[selected_[column]];
    // A NUL is text to the database, but not to any reader of CSV, our own included.
    if (value.type == QUIRE_TYPE_TEXT && as_text(value).find('\0') != std::string_view::npos) {
      throw Failure("a text in '" + schema_.fields[selected_[column]].name +
                    "' has a NUL byte, which CSV can't hold; print JSON");
    }
    if (column > 0) line_ += ',';
    append_csv_value(value, &line_);
  }
}

void RowPrinter::finish() {
  if (table_) table_->finish();
}

}  // namespace quire::tools
