// What a person says of a stored run afterwards.
#ifndef STORE_NOTES_H
#define STORE_NOTES_H

#include "base/diag.h"

// Replaces the note of a run (its uid): one transaction, no lock, so the run may be alive. False,
// reported.
bool note_write(const char *db, const char *uid, const char *note, struct diag *d);

#endif
