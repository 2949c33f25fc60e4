// What yaml.c shares with the files that look at the text and at libyaml's complaints.
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "config/node.h"

// Is it a text that YAML could be: not too long, UTF-8, no NUL, no HTML, no known binary? Reported
// if not.
bool text_check(const struct source *source, size_t length, struct diag *d);
// A complaint of the YAML scanner or parser in our words. `context` and `opened` say what it was in
// the middle of; either may be empty.
bool fail_syntax(struct diag *d, struct place where, const char *problem, const char *context,
                 struct place opened);

// Character numbers, as libyaml counts, to places.
struct marks {
    const struct source *source;
    size_t from;    // byte where character 0 is
    size_t length;  // bytes of the source
    size_t *sample; // byte of every SAMPLE-th character
    size_t n_sample;
    size_t *line; // byte where each line begins
    size_t n_line;
};
void marks_init(struct marks *m, struct arena *a, const struct source *source, size_t from);
size_t marks_byte(const struct marks *m, size_t character);
// The stretch of bytes, cut at the end of its first line.
struct place marks_place(const struct marks *m, size_t begin, size_t end);

#endif
