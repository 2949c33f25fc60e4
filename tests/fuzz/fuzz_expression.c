// Random text as an expression: nothing may crash or hang, and the canonical text must parse to
// itself. Not built by meson:
//
//   clang -g -O1 -D_GNU_SOURCE -std=gnu11 -Isrc -fsanitize=fuzzer,address,undefined \
//       tests/fuzz/fuzz_expression.c src/config/*.c src/base/{arena,diag,file,hash_map,printable,text}.c \
//       -lyaml -lmd -lm -o fuzz_expression
//   ./fuzz_expression -max_total_time=60 CORPUS
#include "base/arena.h"
#include "base/text.h"
#include "config/expression.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct expression *parse(struct arena *a, const char *text, struct diag *d)
{
    struct source *source = NEW(a, struct source);
    *source = (struct source){"fuzz", text};
    struct node node = {
        .kind = NODE_SCALAR, .where = {source, 1, 1, 1}, .text = text, .verbatim = true};
    return expression_parse(a, &node, d);
}

static void check_written(struct arena *a, const struct expression *e, struct diag *d)
{
    struct text first, second;
    text_init(&first);
    text_init(&second);
    expression_text(e, &first);
    const struct expression *again = parse(a, first.s, d);
    if (again)
        expression_text(again, &second);
    else if (first.n < 200)
        BUG("does not parse: %s", first.s);
    if (again && strcmp(first.s, second.s))
        BUG("'%s' is not '%s'", first.s, second.s);
    text_release(&first);
    text_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    struct text drawn;
    text_init(&drawn);
    const struct expression *e = parse(a, arena_strndup(a, (const char *)data, size), d);
    diag_text(d, &drawn);
    if (!e != (diag_errors(d) > 0))
        BUG("an expression and errors, or neither:\n%s", drawn.s);
    if (e)
        check_written(a, e, d);
    text_release(&drawn);
    arena_free(a);
    return 0;
}
