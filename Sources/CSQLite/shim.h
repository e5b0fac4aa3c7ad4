#include <sqlite3.h>

// Swift does not import functions of variable arguments; this one is the form with a switch.
static inline int farthing_sqlite3_switch(sqlite3 *database, int option, int isOn) {
  return sqlite3_db_config(database, option, isOn, (int *)0);
}
