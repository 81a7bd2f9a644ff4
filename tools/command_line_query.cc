// The verbs about schemas, indexes and queries.
#include "tools/command_line.h"
#include "tools/help_text_query.h"

namespace quire::tools {

CLI::Option* CommandLine::repeated(CLI::App* verb, const char* name, const char* form,
                                   std::vector<std::string>* values, const char* about) {
  // Else CLI11 takes an array in JSON apart, and takes all words that follow.
  return verb->add_option(name, *values, about)->allow_extra_args(false)->type_name(form);
}

void CommandLine::filter_options(CLI::App* verb, const char* index) {
  repeated(verb, "--arg", "VALUE", &a_->args, "value of $1, $2, ... of the filter, in order");
  repeated(verb, "--param", "NAME=VALUE", &a_->params, "value of $NAME of the filter");
  text(verb, index, &a_->index, "the only index that may be used")->type_name("NAME");
  verb->add_flag("--no-index", a_->no_index, "use no index");
  positive(verb, "--budget-ms", &a_->budget_ms, "give up after so many milliseconds");
  positive(verb, "--budget-entries", &a_->budget_entries, "... entries or records read");
  positive(verb, "--budget-bytes", &a_->budget_bytes, "... bytes of memory for sorting and groups");
}

void CommandLine::row_options(CLI::App* verb) {
  text(verb, "--order", &a_->order, "order of the rows: 'section, size desc'")
      ->type_name("EXPR,...");
  number(verb, "--limit", &a_->limit, 0, UINT64_MAX, "at most so many")->type_name("N");
  number(verb, "--offset", &a_->offset, 0, UINT64_MAX, "leave out so many before")->type_name("N");
}

CLI::App* CommandLine::selecting_verb(const std::string& name, const std::string& summary,
                                      const std::string& usage, const char* footer) {
  CLI::App* verb = this->verb(name, summary, usage, footer);
  rest(verb);
  text(verb, "--select", &a_->select, "fields and expressions; else all fields")
      ->type_name("EXPR,...");
  text(verb, "--group", &a_->group, "a row for each combination of these")->type_name("EXPR,...");
  verb->add_flag("--distinct", a_->distinct, "each row once");
  row_options(verb);
  filter_options(verb);
  text(verb, "--token", &a_->token, "go on behind where --give-token stopped")->type_name("TOKEN");
  return verb;
}

void CommandLine::add_queries() {
  CLI::App* query = selecting_verb("query", "print the records that a filter finds",
                                   "quire query DB COLLECTION [FILTER] [OPTIONS]", help::kQuery);
  query->add_flag("--csv", a_->csv, "print CSV");
  query->add_flag("--give-token", a_->give_token, "say where a later query goes on");
  CLI::App* explain =
      selecting_verb("explain", "show how a query finds its records",
                     "quire explain DB COLLECTION [FILTER] [OPTIONS]", help::kExplain);
  explain->add_flag("--plan", a_->plan_only, "only plan it; do not run it");
  CLI::App* count = verb("count", "count the records that a filter finds",
                         "quire count DB COLLECTION [FILTER] [OPTIONS]", help::kCount);
  rest(count);
  filter_options(count);
}

void CommandLine::add_changes() {
  CLI::App* update = verb("update", "change fields of the records that a filter finds",
                          "quire update DB COLLECTION FILTER|--all FIELD=VALUE... [OPTIONS]\n"
                          "       quire update DB COLLECTION --record KEY FIELD=VALUE... [OPTIONS]",
                          help::kUpdate);
  CLI::App* erase = verb("delete", "delete the records that a filter finds",
                         "quire delete DB COLLECTION FILTER|--all [OPTIONS]", help::kDelete);
  update
      ->add_option_function<std::string>(
          "--record",
          [this](const std::string& key) {
            a_->record = key;
            a_->has_record = true;
          },
          "the one record with this key, in place of FILTER")
      ->type_name("KEY");
  condition(update);
  add_batch();
  for (CLI::App* verb : {update, erase}) {
    rest(verb);
    verb->add_flag("--all", a_->all, "all records, without a filter");
    row_options(verb);
    filter_options(verb);
    writer(verb);
  }
}

void CommandLine::add_purge() {
  CLI::App* purge = verb("purge", "delete the records whose time is over",
                         "quire purge DB [COLLECTION] [OPTIONS]", help::kPurge);
  rest(purge);
  number(purge, "--limit", &a_->limit, 1, UINT64_MAX, "at most so many")->type_name("N");
  writer(purge);
}

void CommandLine::condition(CLI::App* verb) {
  repeated(verb, "--if", "FIELD=VALUE", &a_->conditions,
           "only if the record has this now, also FIELD:=JSON; else exit code 1");
}

void CommandLine::add_batch() {
  CLI::App* batch = verb("batch", "carry out many changes of a collection as one",
                         "quire batch DB COLLECTION FILE|- [OPTIONS]", help::kBatch);
  rest(batch);
  batch->add_flag("--partial", a_->partial, "each change stands or falls by itself");
  text(batch, "--once", &a_->once, "idempotency key: a batch with this key is applied once")
      ->type_name("KEY");
  positive(batch, "--remember", &a_->remember_s, "seconds for which KEY is remembered (a day)");
  batch->add_flag("--ignore-unknown", a_->ignore_unknown, "leave out fields not in the schema");
  positive(batch, "--max-line-bytes", &a_->max_line_bytes, "longest line (default 64 MiB)");
  writer(batch);
}

void CommandLine::add_schema() {
  CLI::App* schema = verb(
      "schema", "show or change a collection's fields",
      "quire schema DB COLLECTION [add FIELD | drop NAME | rename NAME NEW | change NAME RULES\n"
      "                                   | expect FILE | rewrite | name NEW] [OPTIONS]",
      help::kSchema);
  rest(schema);
  writer(schema);
}

void CommandLine::add_index() {
  CLI::App* index =
      verb("index", "list, make and remove indexes",
           "quire index DB COLLECTION [list | create NAME FIELDS | drop NAME\n"
           "                                  | rename NAME NEW | rebuild NAME] [OPTIONS]",
           help::kIndex);
  rest(index);
  index->add_flag("--unique", a_->unique, "no two records may have the same key");
  index->add_flag("--ignore-case", a_->ignore_case, "a is A, among the letters of ASCII");
  text(index, "--where", &a_->where, "only records that this filter finds")->type_name("FILTER");
  text(index, "--covering", &a_->covering, "fields kept in the index too")->type_name("A,B");
  text(index, "--kind", &a_->index_kind, "sorted (default), or of vectors hnsw")->type_name("KIND");
  metric(index, "of vectors: l2 (default), ip, cosine, l1; of bits: hamming (default), jaccard");
  text(index, "--options", &a_->index_options,
       "all options as the kind has them, in place of FIELDS")
      ->type_name("JSON");
  writer(index);
}

void CommandLine::add_shell() {
  CLI::App* shell =
      verb("shell", "carry out verbs that are typed", "quire shell DB [OPTIONS]", help::kShell);
  shell->add_flag("--write", a_->write, "keep the database open for writing too");
  writer(shell);
}

}  // namespace quire::tools
