// Messages are kept, sorted by place and drawn at the end, because a user who sees all mistakes in
// one go mends them in one go. Printing at the moment of finding fails twice: the order is the
// compiler's, not the file's, and a stage that tries again would print again.
#include "base/diag.h"

#include "base/arena.h"
#include "base/printable.h"
#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

struct diag {
    struct arena *arena;
    struct diag_message message[2 * DIAG_MAX];
    bool silent[WARNINGS], strict; // strict: warnings are errors
    int n, errors, warnings; // told, repetitions too: a caller asks whether there were more since
    int same;                // errors among them that said nothing new
};

struct diag *diag_new(struct arena *a)
{
    struct diag *d = NEW(a, struct diag);
    d->arena = a;
    return d;
}

static bool diag_same_place(struct place a, struct place b)
{
    return a.source == b.source && a.line == b.line && a.col == b.col;
}

static bool known(const struct diag *d, struct place where, const char *text)
{
    for (int i = 0; i < d->n; i++)
        if (diag_same_place(d->message[i].where, where) && !strcmp(d->message[i].text, text))
            return true;
    return false;
}

static void diag_add(struct diag *d, bool error, const char *warning, struct place where,
                     const char *fmt, va_list ap)
{
    const char *text = arena_vprintf(d->arena, fmt, ap);
    const bool again = known(d, where, text);
    const int kept = error ? d->errors - d->same : d->warnings;
    if (!again && kept < DIAG_MAX) {
        d->message[d->n] = (struct diag_message){where, text, error, warning, d->n};
        d->n++;
    }
    if (error) {
        d->errors++;
        d->same += again;
    } else if (!again) {
        d->warnings++;
    }
}

bool fail(struct diag *d, struct place where, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_add(d, true, NULL, where, fmt, ap);
    va_end(ap);
    return false;
}

// --- warnings ------------------------------------------------------------------------------------

const char *warning_name(enum warning is)
{
    static const char *const name[] = {
#define WARNING(name, help) #name,
#include "base/warnings.def"
#undef WARNING
    };
    ASSERT(is < WARNINGS);
    return name[is];
}

void diag_silence(struct diag *d, enum warning is)
{
    ASSERT(is < WARNINGS);
    d->silent[is] = true;
}

void diag_warnings_are_errors(struct diag *d) { d->strict = true; }

void warn(struct diag *d, enum warning is, struct place where, const char *fmt, ...)
{
    va_list ap;
    if (d->silent[is])
        return;
    va_start(ap, fmt);
    diag_add(d, d->strict, warning_name(is), where, fmt, ap);
    va_end(ap);
}

// --- telling -------------------------------------------------------------------------------------

int diag_errors(const struct diag *d) { return d->errors; }

bool diag_full(const struct diag *d) { return d->errors - d->same >= DIAG_MAX; }

int diag_warnings(const struct diag *d) { return d->warnings; }

void diag_clear(struct diag *d) { d->n = d->errors = d->warnings = d->same = 0; }

static int by_place(const void *pa, const void *pb)
{
    const struct diag_message *a = pa, *b = pb;
    if (a->where.source != b->where.source || !a->where.source)
        return a->order - b->order;
    if (a->where.line != b->where.line)
        return a->where.line - b->where.line;
    return a->where.col != b->where.col ? a->where.col - b->where.col : a->order - b->order;
}

static const char *diag_line_of(const struct source *s, int line, size_t *length)
{
    const char *p = s->text;
    for (int i = 1; i < line && p; i++)
        if ((p = strchr(p, '\n')))
            p++;
    *length = p ? strcspn(p, "\r\n") : 0;
    return p;
}

// A stretch of a line as it is shown.
static void show_line(const char *line, size_t n, struct text *out)
{
    text_add_printable(out, line, n, "\t");
}

// `mark` for every letter that a stretch is shown as.
static void underline(const char *line, size_t n, const char *mark, struct text *out)
{
    struct text shown;
    text_init(&shown);
    show_line(line, n, &shown);
    for (const char *p = shown.s; *p; p++)
        if ((*p & 0xC0) != 0x80)
            text_add(out, *p == '\t' && *mark == ' ' ? "\t" : mark);
    text_release(&shown);
}

// The source line and the caret under it. A tab stays a tab in both, so they align in any terminal.
static void diag_draw(struct place w, struct text *out)
{
    size_t length;
    const char *line = w.source && w.line > 0 && w.source->text
                           ? diag_line_of(w.source, w.line, &length)
                           : NULL;
    if (!line)
        return;
    text_addf(out, "%5d | ", w.line);
    show_line(line, length, out);
    text_add(out, "\n      | ");
    const size_t col = w.col > 0 ? (size_t)w.col - 1 : 0, first = col < length ? col : length,
                 all = first + (size_t)(w.length > 0 ? w.length : 1);
    size_t second = first + (first < length);
    while (second < length && (line[second] & 0xC0) == 0x80)
        second++;
    underline(line, first, " ", out);
    text_add(out, "^");
    if (all > second)
        underline(line + second, (all < length ? all : length) - second, "~", out);
    text_add(out, "\n");
}

static void message_text(const struct diag_message *m, struct text *out)
{
    const struct place w = m->where;
    const char *name = w.source ? w.source->name : "ganexp";
    text_add_printable(out, name, strlen(name), "");
    if (w.source && w.line > 0)
        text_addf(out, ":%d:%d", w.line, w.col);
    text_add(out, ": ");
    size_t first = strcspn(m->text, "\n");
    text_addf(out, "%s: ", m->error ? "error" : "warning");
    show_line(m->text, first, out);
    if (m->warning)
        text_addf(out, " [%s]", m->warning);
    text_add(out, "\n");
    diag_draw(w, out);
    for (const char *p = m->text + first; *p == '\n';) {
        p++;
        const size_t n = strcspn(p, "\n");
        if (n) {
            text_add(out, "      = ");
            show_line(p, n, out);
            text_add(out, "\n");
        }
        p += n;
    }
}

const struct diag_message *diag_messages(const struct diag *d, int *n)
{
    struct diag_message *sorted = NEW_ARRAY(d->arena, struct diag_message, d->n + 1);
    memcpy(sorted, d->message, sizeof *sorted * (size_t)d->n);
    qsort(sorted, (size_t)d->n, sizeof *sorted, by_place);
    *n = d->n;
    return sorted;
}

void diag_text(const struct diag *d, struct text *out)
{
    int n;
    const struct diag_message *sorted = diag_messages(d, &n);
    for (int i = 0; i < n; i++)
        message_text(&sorted[i], out);
    if (d->errors - d->same > DIAG_MAX)
        text_addf(out, "… and %d more errors\n", d->errors - d->same - DIAG_MAX);
}

void diag_print(const struct diag *d, FILE *to)
{
    struct text t;
    text_init(&t);
    diag_text(d, &t);
    fputs(t.s, to);
    text_release(&t);
}

// Damerau–Levenshtein distance with adjacent transpositions, words of up to 63 letters.
static int diag_distance(const char *a, const char *b)
{
    const int n = (int)strlen(a), m = (int)strlen(b);
    if (n > 63 || m > 63)
        return 99;
    int d[64][64];
    for (int i = 0; i <= n; i++)
        for (int j = 0; j <= m; j++) {
            if (!i || !j) {
                d[i][j] = i + j;
                continue;
            }
            const int swap = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = swap;
            if (d[i - 1][j] + 1 < d[i][j])
                d[i][j] = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < d[i][j])
                d[i][j] = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    return d[n][m];
}

static bool same_letters(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == '_' || *a == '-')
            a++;
        while (*b == '_' || *b == '-')
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

const char *nearest_word(const char *word, const char *const *known_word, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (same_letters(word, known_word[i]))
            return known_word[i];
    const char *best = NULL;
    int least = 3;
    for (size_t i = 0; i < n; i++) {
        const int d = diag_distance(word, known_word[i]);
        if (d < least && 2 * d < (int)strlen(word) + 1)
            best = known_word[i], least = d;
    }
    for (size_t i = 0; i < n && !best; i++)
        if (strlen(word) >= 3 && (strstr(known_word[i], word) || strstr(word, known_word[i])))
            best = known_word[i];
    return best;
}
