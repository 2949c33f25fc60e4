#include "lang/silence.h"

#include "config/param.h"

// The words of base/warnings.def.
static const struct word *const words[] = {
#define WARNING(name, text) &(const struct word){#name, NULL, text, NULL, NULL, 0},
#include "base/warnings.def"
#undef WARNING
    NULL};

const struct vocabulary warnings = {"warning", words};

bool silence_named(struct diag *d, struct place where, const char *name)
{
    const struct word_call call = {name, where, NULL};
    const struct word *word = word_called(&warnings, &call, d);
    for (int i = 0; word && i < WARNINGS; i++)
        if (words[i] == word)
            diag_silence(d, (enum warning)i);
    return word != NULL;
}

bool silence_read(struct diag *d, const struct node *node)
{
    bool good = true;
    for (int i = 0; node && node->kind == NODE_LIST && i < node->n; i++)
        good &= silence_read(d, node->entry[i].value);
    if (!node || node->kind == NODE_LIST)
        return good;
    if (node->kind != NODE_SCALAR)
        return fail(d, node->where, "this names no warning\nexpected a name, or a list of names");
    return silence_named(d, node->where, node->text);
}
