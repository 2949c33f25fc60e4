// The folder runs/ beside a database, held against it. For store/ and `gc`.
#ifndef STORE_RUN_FOLDERS_H
#define STORE_RUN_FOLDERS_H

#include "store/journal.h"

enum folder_state {
    FOLDER_BEHIND, // its journal has more than the database, or it was moved
    FOLDER_NEW,    // no database ever had it
    FOLDER_LOST,   // a database had it, and this one has no row of it
    FOLDER_BARE    // neither a row nor anything that was recorded
};

struct run_folder {
    const char *dir; // as it can be opened
    enum folder_state state;
    struct journal_tail tail; // not of FOLDER_BARE
};

// The folders of `runs` that the database (its handle may be NULL: there is none) does not have
// whole, and that are not another database's; *n of them.
struct run_folder *run_folders_unstored(struct arena *a, struct db *db, const char *runs, int *n);
// Brings what one folder's journal has more, all of it perhaps, into the database, in a transaction
// of its own. False: db->why.
bool run_folder_bring_in(struct db *db, const char *dir);
// All that are behind or new and that no process works on. Trouble leaves them for the next time.
void run_folders_bring_in(struct db *db, const char *runs);

#endif
