// The command line as CLI11 has it: each verb with its options, into Arguments.
#pragma once

#include <quire/quire.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/arguments.h"
#include "tools/format.h"
#include "tools/help_text.h"

namespace quire::tools {

// CLI11 prints "[OPTIONS] db [rest...]"; people read "DB COLLECTION KEY".
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) { column_width(30); }

  std::string make_usage(const CLI::App*, std::string) const override {
    return "Usage: " + usage_ + "\n";
  }
  // The usage lines and examples name them better than a list would.
  std::string make_positionals(const CLI::App*) const override { return ""; }

 private:
  std::string usage_;
};

class CommandLine {
 public:
  explicit CommandLine(Arguments* arguments) : a_(arguments), app_(help::kProgram, "quire") {
    app_.footer(help::kProgramFooter + 1);  // its first line end is the formatter's
    app_.set_version_flag("--version", std::string("quire ") + quire_version());
    app_.require_subcommand(1);
    app_.get_formatter()->column_width(14);
    app_.get_formatter()->label("SUBCOMMAND", "VERB");
    add_create();
    add_put();
    add_get();
    add_del();
    add_drop();
    add_scan();
    add_load();
    add_dump();
    add_search();
    add_stat_and_check();
    add_schema();
    add_index();
    add_queries();
    add_changes();
    add_purge();
    add_shell();
  }

  CLI::App& app() { return app_; }

 private:
  CLI::App* verb(const std::string& name, const std::string& summary, const std::string& usage,
                 const char* footer) {
    CLI::App* verb = app_.add_subcommand(name, summary);
    verb->formatter(std::make_shared<HelpFormatter>(usage));
    verb->group("Verbs");
    verb->footer(footer + 1);
    verb->add_option("DB", a_->db, "the database's directory")->required();
    verb->add_flag("--json", a_->json, "print JSON");
    verb->callback([this, name, verb] {
      a_->verb = name;
      take_rest(verb);
      for (const CLI::Option* option : verb->get_options()) {
        if (option->count() > 0) a_->given.insert(option->get_name());
      }
    });
    return verb;
  }
  // A text that must not be empty: empty means absent in Arguments.
  static CLI::Option* text(CLI::App* verb, const char* name, std::string* value,
                           const char* about) {
    return verb->add_option(name, *value, about)->check([](const std::string& argument) {
      return argument.empty() ? std::string("it is empty") : std::string();
    });
  }
  // A whole number from `least` to `most`; no bound above when that is UINT64_MAX.
  template <class Number>
  static CLI::Option* number(CLI::App* verb, const char* name, Number* value, std::uint64_t least,
                             std::uint64_t most, const char* about) {
    const std::string option = name;
    return verb->add_option_function<std::string>(
        name,
        [=](const std::string& argument) {
          std::uint64_t parsed = 0;
          const char* const end = argument.data() + argument.size();
          const auto [stop, error] = std::from_chars(argument.data(), end, parsed);
          if (error != std::errc() || stop != end || parsed < least || parsed > most) {
            throw CLI::ValidationError(
                option, "'" + argument + "' is not a whole number " +
                            (most == UINT64_MAX ? "of " + std::to_string(least) + " or more"
                                                : "from " + std::to_string(least) + " to " +
                                                      std::to_string(most)));
          }
          *value = static_cast<Number>(parsed);
        },
        about);
  }
  // Names, keys and files behind DB: which they are depends on --keyspace. Not an option of
  // CLI11's, which would take an array in JSON apart.
  static void rest(CLI::App* verb) { verb->allow_extras(); }
  void take_rest(CLI::App* verb) {
    a_->rest = verb->remaining();
    for (const std::string& word : a_->rest) {
      const bool number = word.size() > 1 && word[1] >= '0' && word[1] <= '9';
      if (word.size() > 1 && word[0] == '-' && !number) throw CLI::ExtrasError(a_->rest);
    }
  }
  void keyspace(CLI::App* verb, const char* about) {
    this->text(verb, "--keyspace", &a_->keyspace, about)->type_name("NAME");
  }
  void hex(CLI::App* verb, const char* text) { verb->add_flag("--hex", a_->hex, text); }
  void writer(CLI::App* verb) {
    verb->add_option("--durability", a_->durability,
                     "what a commit survives: always (power loss; the default), batch, os, none")
        ->check(CLI::IsMember({"always", "batch", "os", "none"}))
        ->type_name("MODE");
    wait(verb);
  }
  void wait(CLI::App* verb) {
    verb->add_option_function<std::string>(
            "--wait",
            [this](const std::string& argument) {
              const char* const end = argument.data() + argument.size();
              const auto [stop, error] = std::from_chars(argument.data(), end, a_->wait_seconds);
              const bool good = error == std::errc() && stop == end && a_->wait_seconds >= 0;
              if (!good) {
                throw CLI::ValidationError(
                    "--wait", "'" + argument + "' is not a number of seconds, 0 or more");
              }
            },
            "wait so long while another process writes (0: fail at once)")
        ->type_name("SECONDS");
  }
  void range(CLI::App* verb) {
    const auto key = [verb](const char* name, std::string* value, bool* given, const char* about) {
      verb->add_option_function<std::string>(
              name,
              [value, given](const std::string& argument) {
                *value = argument;
                *given = true;
              },
              about)
          ->type_name("KEY");
    };
    key("--from", &a_->from, &a_->has_from, "first key");
    key("--to", &a_->to, &a_->has_to, "the key before which to end");
    key("--prefix", &a_->prefix, &a_->has_prefix, "keys that begin so (keyspaces)");
  }
  void fields(CLI::App* verb) {
    text(verb, "--fields", &a_->fields, "print these fields only")->type_name("A,B");
  }
  void format(CLI::App* verb, bool vectors) {
    const std::vector<std::string> names = format_names(vectors);
    std::string about;
    for (const std::string& name : names) about += (about.empty() ? "" : ", ") + name;
    verb->add_option("--format", a_->format, about + "; else by the file's name, else ndjson")
        ->check(CLI::IsMember(names))
        ->type_name("FORMAT");
  }
  void schema(CLI::App* verb) {
    text(verb, "--schema", &a_->schema_file, "fields and key of a new collection (JSON)")
        ->type_name("FILE");
    text(verb, "--key", &a_->key_field, "the field that is the key")->type_name("FIELD");
  }

  void metric(CLI::App* verb, const char* about) {
    verb->add_option("--metric", a_->metric, about)
        ->check(CLI::IsMember({"l2", "ip", "cosine", "l1", "hamming", "jaccard"}))
        ->type_name("METRIC");
  }

  void add_create() {
    CLI::App* create = verb("create", "make a database, a collection, a keyspace",
                            "quire create DB [COLLECTION --schema FILE] [OPTIONS]", help::kCreate);
    rest(create);
    keyspace(create, "make this keyspace");
    number(create, "--page-size", &a_->page_size, 1, 65'536,
           "4096 (default) to 65536, a power of two")
        ->type_name("BYTES");
    schema(create);
    writer(create);
  }
  void add_put() {
    CLI::App* put = verb("put", "insert or replace a record or a key",
                         "quire put DB COLLECTION RECORD|- [OPTIONS]\n"
                         "       quire put DB --keyspace NAME KEY VALUE|- [OPTIONS]",
                         help::kPut);
    rest(put);
    keyspace(put, "put into this keyspace");
    hex(put, "KEY and VALUE are hexadecimal");
    put->add_flag("--no-overwrite", a_->no_overwrite, "leave what is there; exit code 1");
    condition(put);
    writer(put);
  }
  void add_get() {
    CLI::App* get = verb("get", "print a record or a value",
                         "quire get DB COLLECTION KEY [OPTIONS]\n"
                         "       quire get DB --keyspace NAME KEY [OPTIONS]",
                         help::kGet);
    rest(get);
    keyspace(get, "look in this keyspace");
    hex(get, "KEY and the value are hexadecimal");
    get->add_flag("--raw", a_->raw, "the value's bytes only, without a line end (keyspaces)");
    fields(get);
  }
  void add_del() {
    CLI::App* del = verb("del", "delete records or keys",
                         "quire del DB COLLECTION KEY... [OPTIONS]\n"
                         "       quire del DB --keyspace NAME KEY... [OPTIONS]",
                         help::kDel);
    rest(del);
    keyspace(del, "delete from this keyspace");
    hex(del, "keys are hexadecimal");
    range(del);
    condition(del);
    writer(del);
  }
  void add_drop() {
    CLI::App* drop = verb("drop", "remove a collection or keyspace",
                          "quire drop DB COLLECTION|--keyspace NAME [OPTIONS]", help::kDrop);
    rest(drop);
    keyspace(drop, "remove this keyspace");
    writer(drop);
  }
  void add_scan() {
    CLI::App* scan = verb("scan", "print records or keys in order",
                          "quire scan DB COLLECTION [OPTIONS]\n"
                          "       quire scan DB --keyspace NAME [OPTIONS]",
                          help::kScan);
    rest(scan);
    keyspace(scan, "scan this keyspace");
    hex(scan, "keys and values are hexadecimal");
    range(scan);
    number(scan, "--limit", &a_->limit, 0, UINT64_MAX, "at most so many")->type_name("N");
    scan->add_flag("--reverse", a_->reverse, "last key first (keyspaces)");
    fields(scan);
  }
  void add_load() {
    CLI::App* load = verb("load", "load records, or vectors, from a file",
                          "quire load DB COLLECTION FILE|- [OPTIONS]\n"
                          "       quire load DB --keyspace NAME FILE|- [OPTIONS]",
                          help::kLoad);
    rest(load);
    keyspace(load, "load into this keyspace");
    format(load, true);
    text(load, "--vector-fields", &a_->vector_fields,
         "fields that rows of a file of vectors fill (default id,vector)")
        ->type_name("[ID,]VECTOR");
    schema(load);
    load->add_flag("--upsert", a_->upsert, "replace records whose key is there");
    load->add_option_function<std::string>(
            "--on-error", [this](const std::string& what) { a_->skip_bad = what == "skip"; },
            "stop (default) or skip at a bad record")
        ->check(CLI::IsMember({"stop", "skip"}))
        ->type_name("WHAT");
    load->add_flag("--ignore-unknown", a_->ignore_unknown, "leave out fields not in the schema");
    positive(load, "--batch", &a_->batch, "records a commit (default 1000)");
    positive(load, "--infer", &a_->infer_records,
             "infer types from so many records (default 1000)");
    positive(load, "--from-line", &a_->from_line,
             "skip what begins before this line, or row of vectors");
    positive(load, "--max-line-bytes", &a_->max_line_bytes, "longest record (default 64 MiB)");
    writer(load);
  }
  static void positive(CLI::App* verb, const char* name, std::uint64_t* value, const char* about) {
    number(verb, name, value, 1, UINT64_MAX, about)->type_name("N");
  }
  void add_dump() {
    CLI::App* dump = verb("dump", "write all records to a file",
                          "quire dump DB COLLECTION [FILE|-] [OPTIONS]\n"
                          "       quire dump DB --keyspace NAME [FILE|-] [OPTIONS]",
                          help::kDump);
    rest(dump);
    keyspace(dump, "dump this keyspace");
    hex(dump, "keys and values in hexadecimal (keyspaces)");
    format(dump, false);
    fields(dump);
    text(dump, "--write-schema", &a_->write_schema, "write the schema, for load --schema")
        ->type_name("FILE");
  }
  void add_search() {
    CLI::App* search = verb(
        "search", "find the nearest vectors",
        "quire search DB COLLECTION --field F (--vector FILE|- | --literal '[..]' | --like KEY) "
        "[OPTIONS]",
        help::kSearch);
    rest(search);
    text(search, "--field", &a_->field, "the vector field; not needed where there is one")
        ->type_name("F");
    CLI::Option* file =
        text(search, "--vector", &a_->vector_file, "query from a file")->type_name("FILE");
    CLI::Option* literal =
        text(search, "--literal", &a_->literal, "query as text")->type_name("'[..]'");
    CLI::Option* like = repeated(search, "--like", "KEY", &a_->like,
                                 "query is the vector of this record, or the mean of several")
                            ->excludes(file)
                            ->excludes(literal);
    repeated(search, "--unlike", "KEY", &a_->unlike,
             "... and away from that of this record, or of several")
        ->needs(like);
    file->excludes(literal);
    number(search, "-k", &a_->k, 1, 1'000'000, "how many (default 10)")->type_name("N");
    metric(search, "l2 (default), ip, cosine, l1; of bits: hamming (default), jaccard");
    CLI::Option* index = text(search, "--index", &a_->vector_index,
                              "the index to search by; else one of field and metric, if any")
                             ->type_name("NAME");
    CLI::Option* ef =
        number(search, "--ef", &a_->ef, 1, 1'000'000,
               "how far an index looks: more finds more (default 128, more with -k over 10)")
            ->type_name("N");
    CLI::Option* target =
        search
            ->add_option_function<std::string>(
                "--target", [this](const std::string& given) { a_->target = target_of(given); },
                "the share of the nearest to be found by an index: fast (0.90), balanced (0.95), "
                "high (0.99) or a number")
            ->type_name("SHARE")
            ->excludes(ef);
    search->add_flag("--exact", a_->exact, "by no index: measure every vector")
        ->excludes(index)
        ->excludes(ef)
        ->excludes(target);
    text(search, "--where", &a_->where, "only records that this filter finds")->type_name("FILTER");
    filter_options(search, "--where-index");
    search->add_option("--within", a_->within, "only hits of this distance at most")
        ->type_name("DISTANCE");
    CLI::Option* after =
        text(search, "--after", &a_->after, "only hits behind this one: its \"at\" in JSON")
            ->type_name("AT");
    CLI::Option* per =
        text(search, "--per", &a_->per, "at most so many hits for each of its values")
            ->type_name("FIELD")
            ->excludes(after);
    number(search, "--at-most", &a_->at_most, 1, UINT32_MAX, "how many these are (default 1)")
        ->type_name("N")
        ->needs(per);
    CLI::Option* diversity =
        search->add_option("--diversity", a_->diversity, "hits far from one another: 0 to 1")
            ->type_name("SHARE")
            ->check(CLI::Range(0.0, 1.0))
            ->excludes(after);
    number(search, "--candidates", &a_->candidates, 1, 1'000'000,
           "the nearest of which they are chosen (default 4 times -k)")
        ->type_name("N")
        ->needs(diversity);
    fields(search);
  }
  static double target_of(const std::string& given) {
    if (given == "fast") return QUIRE_TARGET_FAST;
    if (given == "balanced") return QUIRE_TARGET_BALANCED;
    if (given == "high") return QUIRE_TARGET_HIGH;
    double share = 0;
    const char* const end = given.data() + given.size();
    const auto [stop, error] = std::from_chars(given.data(), end, share);
    if (error == std::errc() && stop == end && share >= 0.5 && share <= 0.9999) return share;
    throw CLI::ValidationError("--target", "'" + given +
                                               "' is none of fast, balanced, high or a number "
                                               "from 0.5 to 0.9999");
  }
  void add_stat_and_check() {
    verb("stat", "show contents, sizes, readers", "quire stat DB [--json]", help::kStat);
    verb("check", "verify everything", "quire check DB [--json]", help::kCheck);
    CLI::App* checkpoint = verb("checkpoint", "bring the log into the data file",
                                "quire checkpoint DB [OPTIONS]", help::kCheckpoint);
    wait(checkpoint);
    CLI::App* maintain = verb("maintain", "do what indexes have put off",
                              "quire maintain DB [OPTIONS]", help::kMaintain);
    wait(maintain);
    CLI::App* inspect =
        verb("inspect", "show a part of the files",
             "quire inspect DB meta | page N | segment [N] | readers [--json]", help::kInspect);
    rest(inspect);
    CLI::App* recover = verb("recover", "make a new database out of a damaged one",
                             "quire recover DB NEW [--unverified] [--json]", help::kRecover);
    rest(recover);
    recover->add_flag("--unverified", a_->unverified,
                      "also take entries that no checksum vouches for");
  }

  // command_line_query.cc has these.
  void add_schema();
  void add_index();
  void add_queries();
  void add_changes();
  void add_purge();
  void add_shell();
  CLI::App* selecting_verb(const std::string& name, const std::string& summary,
                           const std::string& usage, const char* footer);
  static CLI::Option* repeated(CLI::App* verb, const char* name, const char* form,
                               std::vector<std::string>* values, const char* about);
  void filter_options(CLI::App* verb, const char* index = "--index");
  void row_options(CLI::App* verb);
  void condition(CLI::App* verb);
  void add_batch();

  Arguments* a_;
  CLI::App app_;
};

}  // namespace quire::tools
