#include <quire/quire.h>
#include <stdio.h>

int main(void) {
  quire_db* db = NULL;
  quire_txn* txn = NULL;
  quire_keyspace names = 0;
  quire_slice value = {NULL, 0};
  int rc = quire_open("hello.quire", NULL, &db);
  if (rc == 0) rc = quire_begin(db, QUIRE_WRITE, &txn);
  if (rc == 0) rc = quire_keyspace_open(txn, "names", QUIRE_CREATE, &names);
  if (rc == 0) rc = quire_put(txn, names, "k1", 2, "hello", 5, 0);
  if (rc == 0) rc = quire_get(txn, names, "k1", 2, &value);
  if (rc == 0) printf("k1 = %.*s\n", (int)value.size, (const char*)value.data);
  if (rc == 0) rc = quire_commit(txn);
  if (rc != 0) fprintf(stderr, "hello: %s\n", quire_last_error());
  quire_close(db); /* undoes what was not committed */
  return rc == 0 ? 0 : 1;
}
