// libyaml counts characters and takes four things for the end of a line; messages count bytes and
// know one. So places come from our own index of the text: the byte of every 256th character and of
// every line. Counting from the begin each time would make a long line quadratic, and libyaml's
// line and column would point beside the text after the first 'ü' or form feed.
#include "config/yaml.h"

#include "base/arena.h"
#include "config/tree.h"

#include <string.h>
#include <strings.h>

enum { SAMPLE = 256 };

void marks_init(struct marks *m, struct arena *a, const struct source *source, size_t from)
{
    *m = (struct marks){.source = source, .from = from, .length = strlen(source->text)};
    size_t character = 0;
    APPEND(a, m->line, m->n_line, 0);
    for (size_t i = 0; i < m->length; i++) {
        const unsigned char c = (unsigned char)source->text[i];
        if (i >= from && (c & 0xC0) != 0x80 && character++ % SAMPLE == 0)
            APPEND(a, m->sample, m->n_sample, i);
        if (c == '\n')
            APPEND(a, m->line, m->n_line, i + 1);
    }
}

size_t marks_byte(const struct marks *m, size_t character)
{
    size_t s = character / SAMPLE, left = character % SAMPLE;
    if (s >= m->n_sample)
        return m->length;
    size_t i = m->sample[s];
    while (left && i < m->length) {
        i++;
        if (((unsigned char)m->source->text[i] & 0xC0) != 0x80)
            left--;
    }
    return i;
}

struct place marks_place(const struct marks *m, size_t begin, size_t end)
{
    size_t low = 0, high = m->n_line;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (m->line[middle] <= begin)
            low = middle;
        else
            high = middle;
    }
    const char *text = m->source->text + begin;
    size_t length = 0; // no further than `end`: what is behind may be all of a long line
    while (begin + length < end && text[length] && text[length] != '\r' && text[length] != '\n')
        length++;
    return (struct place){m->source, (int)low + 1, (int)(begin - m->line[low]) + 1,
                          (int)(length ? length : 1)};
}

// The length of the UTF-8 character at p; 0 where it is none.
static size_t utf8_length(const unsigned char *p)
{
    const size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] >= 0xF5 || (p[0] >= 0x80 && p[0] < 0xC2))
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    const bool overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    const bool outside = (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF4 && p[1] > 0x8F);
    return overlong || outside ? 0 : n;
}

static struct place at_byte(const struct source *source, const char *p)
{
    struct place where = {source, 1, 1, 1};
    for (const char *q = source->text; q < p; q++, where.col++)
        if (*q == '\n') {
            where.line++;
            where.col = 0;
        }
    return where;
}

static bool looks_like_html(const char *text)
{
    text += strspn(text, " \t\r\n");
    return !strncasecmp(text, "<!doctype", 9) || !strncasecmp(text, "<html", 5) ||
           !strncasecmp(text, "<?xml", 5);
}

static const char *binary_kind(const char *text)
{
    static const struct {
        const char *magic, *name;
    } known[] = {{"\x89PNG", "a PNG image"},
                 {"\xFF\xD8\xFF", "a JPEG image"},
                 {"GIF8", "a GIF image"},
                 {"PK\x03\x04", "a zip archive"},
                 {"\x1F\x8B", "a gzip file"},
                 {"\x7F"
                  "ELF",
                  "a program"},
                 {"SQLite format 3", "a database"},
                 {"%PDF", "a PDF"},
                 {"\xFF\xFE", "UTF-16 text"},
                 {"\xFE\xFF", "UTF-16 text"},
                 {"\x80\x02", "a Python pickle"}};
    for (size_t i = 0; i < LENGTH(known); i++)
        if (!strncmp(text, known[i].magic, strlen(known[i].magic)))
            return known[i].name;
    return NULL;
}

static bool fail_binary(struct diag *d, const struct source *source)
{
    const char *kind = binary_kind(source->text);
    return fail(d, (struct place){source, 0, 0, 0}, "this is %s\nexpected a YAML file in UTF-8",
                kind ? kind : "a binary file");
}

bool text_check(const struct source *source, size_t length, struct diag *d)
{
    const struct place file = {source, 0, 0, 0};
    if (length > BYTES_MAX)
        return fail(d, file, "this is longer than 4 MiB\nexpected a YAML file");
    if (looks_like_html(source->text))
        return fail(d, file,
                    "this is an HTML page\nexpected a YAML file; a download may have given "
                    "an error page instead of the file");
    if (strlen(source->text) != length)
        return fail_binary(d, source);
    for (const char *p = source->text; *p;) {
        const size_t n = utf8_length((const unsigned char *)p);
        if (!n && binary_kind(source->text))
            return fail_binary(d, source);
        if (!n)
            return fail(d, at_byte(source, p), "byte 0x%02X is no UTF-8\nexpected text in UTF-8",
                        (unsigned char)*p);
        p += n;
    }
    return true;
}
