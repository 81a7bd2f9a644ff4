#include "tools/demo/featurizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace quire::demo {
namespace {

const std::vector<Document> kDocuments = {
    {"lmdb-utils", "Lightning Memory-Mapped Database Utilities", "An embedded key-value store."},
    {"sqlite3", "Command line interface for SQLite 3", "A database engine in one file."},
    {"vim", "Vi IMproved - enhanced vi editor", "A text editor."},
    {"nano", "small, friendly text editor", "An editor for the terminal."},
};

Featurizer learned() {
  Featurizer featurizer;
  for (const Document& document : kDocuments) featurizer.learn(document);
  return featurizer;
}

double product(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// The number of the document with the largest inner product.
std::size_t nearest(const Featurizer& featurizer, const Vector& query) {
  std::vector<double> products;
  for (const Document& document : kDocuments) {
    products.push_back(product(query, featurizer.features(document)));
  }
  return static_cast<std::size_t>(std::max_element(products.begin(), products.end()) -
                                  products.begin());
}

TEST(Featurizer, SplitsIntoLowerCaseWords) {
  EXPECT_EQ(words_of("Memory-Mapped DB, v2"),
            (std::vector<std::string>{"memory", "mapped", "db", "v2"}));
  EXPECT_EQ(words_of("naïve Größe"), (std::vector<std::string>{"naïve", "größe"}));
  EXPECT_TRUE(words_of(" - ,").empty());
}

TEST(Featurizer, GivesVectorsOfLengthOne) {
  const Featurizer featurizer = learned();
  for (const Document& document : kDocuments) {
    const Vector vector = featurizer.features(document);
    EXPECT_NEAR(product(vector, vector), 1, 1e-5);
  }
}

TEST(Featurizer, GivesTheSameVectorWhateverTheOrderOfLearning) {
  Featurizer backwards;
  for (auto document = kDocuments.rbegin(); document != kDocuments.rend(); ++document) {
    backwards.learn(*document);
  }
  EXPECT_EQ(learned().features(kDocuments[0]), backwards.features(kDocuments[0]));
}

TEST(Featurizer, FindsTheDocumentThatSharesWords) {
  const Featurizer featurizer = learned();
  const Vector query = featurizer.query("embedded key value database");
  EXPECT_EQ(nearest(featurizer, query), 0U);
}

TEST(Featurizer, FindsPartsOfWordsByTheirCharacters) {
  const Featurizer featurizer = learned();
  const Vector query = featurizer.query("libsqlite");  // a word that is in no document
  EXPECT_EQ(nearest(featurizer, query), 1U);
}

TEST(Featurizer, GivesZeroForNoText) {
  const Vector vector = learned().query("");
  EXPECT_EQ(product(vector, vector), 0);
}

// Stored vectors and queries of different builds must agree: the hash is pinned.
TEST(Featurizer, DoesNotChangeItsHash) {
  const Vector vector = learned().query("zebra");
  double weighted = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    weighted += static_cast<double>(i + 1) * double{vector[i]};
  }
  EXPECT_NEAR(weighted, -21.2891, 1e-2);
}

}  // namespace
}  // namespace quire::demo
