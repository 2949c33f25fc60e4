// Random text as a config, and its lines after a line "--" as overrides: nothing may crash, leak or
// hang, and what loads must be written as a text that loads equal. Not built by meson:
//
//   clang -g -O1 -D_GNU_SOURCE -std=gnu11 -Isrc -fsanitize=fuzzer,address,undefined \
//       tests/fuzz/fuzz_config.c src/config/*.c src/base/{arena,diag,file,hash_map,printable,text}.c \
//       -lyaml -lmd -lm -o fuzz_config
//   ./fuzz_config -max_total_time=60 -dict=tests/fuzz/yaml.dict CORPUS tests/bad
#include "base/arena.h"
#include "base/text.h"
#include "config/node.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OVERRIDES = 8 };

static bool equal(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind || a->n != b->n || (a->kind == NODE_SCALAR && strcmp(a->text, b->text)))
        return false;
    for (int i = 0; i < a->n; i++)
        if ((a->kind == NODE_MAP && strcmp(a->entry[i].key, b->entry[i].key)) ||
            !equal(a->entry[i].value, b->entry[i].value))
            return false;
    return true;
}

static void check_written(struct arena *a, const struct node *root)
{
    struct text t;
    text_init(&t);
    node_write(root, &t);
    struct diag *d = diag_new(a);
    struct source source = {"written", t.s};
    const struct node *again = node_parse(a, &source, d);
    if (!again || !equal(root, again)) {
        diag_print(d, stderr);
        BUG("not equal when read back:\n%s", t.s);
    }
    text_release(&t);
}

static int split_overrides(char *text, const char **override)
{
    char *rest = strstr(text, "\n--\n");
    if (!rest)
        return 0;
    *rest = '\0';
    rest += strlen("\n--\n");
    int n = 0;
    for (char *save, *line = strtok_r(rest, "\n", &save); line && n < OVERRIDES;
         line = strtok_r(NULL, "\n", &save))
        override[n++] = line;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    struct text drawn;
    text_init(&drawn);
    char *text = arena_strndup(a, (const char *)data, size);
    const char *override[OVERRIDES];
    const int n = split_overrides(text, override);
    struct config *c = config_parse(a, "/nowhere/fuzz.yaml", text, override, n, d);
    diag_text(d, &drawn);
    if (!c != (diag_errors(d) > 0))
        BUG("a config and errors, or neither:\n%s", drawn.s);
    if (c) {
        check_written(a, c->root);
        config_hash(a, c, true);
    }
    text_release(&drawn);
    arena_free(a);
    return 0;
}
