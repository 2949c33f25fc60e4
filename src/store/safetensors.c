// A checkpoint is read by mapping it: the header says where every tensor lies and nothing is
// copied. That is only safe when nothing in the header is believed before it is checked, in 64 bits
// and without overflow: lengths against the file, shapes against lengths, ranges against each
// other. pickle, the other habit, runs whatever the file says. A file is written beside its place
// and renamed into it, because a process killed while overwriting its only checkpoint has none.
#include "store/safetensors.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/rundir.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

enum { HEADER_MAX = 100 << 20 };

static const struct place nowhere;
static const char *const type_name[] = {[TENSOR_F32] = "F32", [TENSOR_I64] = "I64"};
static const int64_t type_size[] = {[TENSOR_F32] = 4, [TENSOR_I64] = 8};

int64_t tensor_elements(const struct tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

static int64_t tensor_bytes(const struct tensor *t)
{
    return tensor_elements(t) * type_size[t->type];
}

// ---- writing

// 8-byte elements first, so that everything is aligned; then by name.
static int by_layout(const void *x, const void *y)
{
    const struct tensor *a = *(const struct tensor *const *)x,
                        *b = *(const struct tensor *const *)y;
    if (a->type != b->type)
        return type_size[a->type] > type_size[b->type] ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void add_header(json_t *header, const struct tensor *t, int64_t begin)
{
    ASSERT(t->rank >= 0 && t->rank <= TENSOR_RANK_MAX);
    json_t *shape = json_array();
    for (int i = 0; i < t->rank; i++)
        json_array_append_new(shape, json_integer(t->dim[i]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", type_name[t->type], "shape", shape,
                              "data_offsets", (json_int_t)begin,
                              (json_int_t)(begin + tensor_bytes(t)));
    const bool ok = !json_object_get(header, t->name) &&
                    json_object_set_new(header, t->name, entry) == 0;
    ASSERT(ok && "tensor names differ and are UTF-8");
    (void)ok;
}

// The length, the JSON text, blanks up to a multiple of 8. To be freed.
static char *make_header(const struct tensor *const *tensor, int n, const struct metadata *metadata,
                         int n_metadata, size_t *length)
{
    json_t *header = json_object(), *about = json_object();
    for (int i = 0; i < n_metadata; i++)
        json_object_set_new(about, metadata[i].key, json_string(metadata[i].value));
    if (n_metadata)
        json_object_set(header, "__metadata__", about);
    int64_t at = 0;
    for (int i = 0; i < n; i++) {
        add_header(header, tensor[i], at);
        at += tensor_bytes(tensor[i]);
    }
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    json_decref(about);
    const size_t written = text ? strlen(text) : 0, padded = (written + 7) / 8 * 8;
    char *out = malloc(8 + padded);
    if (!text || !out)
        out_of_memory(8 + padded);
    const uint64_t stored = padded;
    memcpy(out, &stored, 8);
    memset(out + 8, ' ', padded);
    memcpy(out + 8, text, written);
    free(text);
    *length = 8 + padded;
    return out;
}

static bool safetensors_write_all(int fd, const void *data, size_t n)
{
    for (const char *p = data; n;) {
        const ssize_t w = write(fd, p, n < (1u << 30) ? n : (1u << 30));
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

static bool write_tensor(int fd, const struct tensor *t)
{
    ASSERT(!t->data != !t->load);
    struct arena *a = arena_new(NULL);
    const bool ok = safetensors_write_all(fd, t->data ? t->data : t->load(t->context, a),
                                          (size_t)tensor_bytes(t));
    const int saved = errno;
    arena_free(a);
    errno = saved;
    return ok;
}

static bool write_tensors(const char *tmp, const struct tensor *const *tensor, int n,
                          const char *header, size_t length)
{
    const int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    bool ok = safetensors_write_all(fd, header, length);
    for (int i = 0; ok && i < n; i++)
        ok = write_tensor(fd, tensor[i]);
    ok = ok && fsync(fd) == 0;
    const int saved = errno;
    const bool closed = close(fd) == 0;
    if (!ok)
        errno = saved;
    return ok && closed;
}

// The directory too, or the name may not outlive a power cut.
static bool sync_directory(const char *dir)
{
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool safetensors_write(const char *path, const struct tensor *tensor, int n,
                       const struct metadata *metadata, int n_metadata, struct diag *d)
{
    struct arena *a = arena_new(NULL);
    const struct tensor **order = NEW_ARRAY(a, const struct tensor *, n + 1);
    for (int i = 0; i < n; i++)
        order[i] = &tensor[i];
    qsort(order, (size_t)n, sizeof *order, by_layout);
    size_t length;
    char *header = make_header(order, n, metadata, n_metadata, &length);
    const char *tmp = arena_printf(a, "%s.%d.tmp", path, (int)getpid());
    bool ok = write_tensors(tmp, order, n, header, length) && !rename(tmp, path) &&
              sync_directory(path_parent(a, path));
    if (!ok) {
        fail(d, nowhere, "cannot write %s: %s", path, strerror(errno));
        unlink(tmp);
    }
    free(header);
    arena_free(a);
    return ok;
}

// ---- reading

struct safetensors_reading {
    struct arena *arena;
    struct diag *diag;
    const char *name;    // of the file
    const uint8_t *data; // behind the header
    int64_t n_data;
    struct safetensors *out;
    struct safetensors_range {
        int64_t begin, end;
        const char *tensor;
    } * range;
    int n_range;
};

static bool read_type(struct safetensors_reading *r, const char *name, const json_t *j,
                      struct tensor *t)
{
    const char *word = json_string_value(j);
    for (size_t i = 0; word && i < LENGTH(type_name); i++) {
        if (!strcmp(word, type_name[i])) {
            t->type = (enum tensor_type)i;
            return true;
        }
    }
    return fail(r->diag, nowhere, "%s: tensor '%s' has dtype '%s'\nexpected F32 or I64", r->name,
                name, word ? word : "(none)");
}

static bool read_shape(struct safetensors_reading *r, const json_t *j, struct tensor *t)
{
    const size_t rank = json_array_size(j);
    if (!json_is_array(j) || rank > TENSOR_RANK_MAX)
        return fail(r->diag, nowhere,
                    "%s: tensor '%s' has no shape\nexpected a list of at most %d sizes", r->name,
                    t->name, TENSOR_RANK_MAX);
    int64_t bytes = type_size[t->type];
    for (size_t i = 0; i < rank; i++) {
        const json_t *size = json_array_get(j, i);
        t->dim[i] = json_integer_value(size);
        if (!json_is_integer(size) || t->dim[i] < 0 ||
            __builtin_mul_overflow(bytes, t->dim[i] ? t->dim[i] : 1, &bytes))
            return fail(r->diag, nowhere, "%s: tensor '%s' has an impossible shape", r->name,
                        t->name);
    }
    t->rank = (int)rank;
    return true;
}

static bool read_range(struct safetensors_reading *r, const json_t *j, const struct tensor *t)
{
    const json_t *first = json_array_get(j, 0), *last = json_array_get(j, 1);
    const struct safetensors_range range = {json_integer_value(first), json_integer_value(last),
                                            t->name};
    if (json_array_size(j) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return fail(r->diag, nowhere, "%s: tensor '%s' has no data_offsets", r->name, t->name);
    if (range.begin < 0 || range.begin > range.end || range.end > r->n_data)
        return fail(r->diag, nowhere,
                    "%s: tensor '%s' lies at %lld to %lld, outside the %lld bytes of data", r->name,
                    t->name, (long long)range.begin, (long long)range.end, (long long)r->n_data);
    if (range.end - range.begin != tensor_bytes(t))
        return fail(r->diag, nowhere,
                    "%s: tensor '%s' has %lld bytes\nits shape and dtype say %lld", r->name,
                    t->name, (long long)(range.end - range.begin), (long long)tensor_bytes(t));
    APPEND(r->arena, r->range, r->n_range, range);
    return true;
}

// Where the bytes are; a copy when a writer did not align them.
static const void *place_data(struct safetensors_reading *r, const struct tensor *t, int64_t begin)
{
    const uint8_t *at = r->data + begin;
    if ((uintptr_t)at % (uintptr_t)type_size[t->type] == 0)
        return at;
    void *copy = arena_alloc(r->arena, (size_t)tensor_bytes(t));
    return memcpy(copy, at, (size_t)tensor_bytes(t));
}

static bool read_tensor(struct safetensors_reading *r, const char *name, const json_t *j)
{
    struct tensor t = {.name = arena_strdup(r->arena, name)};
    if (!json_is_object(j))
        return fail(r->diag, nowhere, "%s: tensor '%s' is not described by an object", r->name,
                    name);
    if (!read_type(r, name, json_object_get(j, "dtype"), &t) ||
        !read_shape(r, json_object_get(j, "shape"), &t) ||
        !read_range(r, json_object_get(j, "data_offsets"), &t))
        return false;
    t.data = place_data(r, &t, r->range[r->n_range - 1].begin);
    APPEND(r->arena, r->out->tensor, r->out->n, t);
    return true;
}

static bool read_metadata(struct safetensors_reading *r, json_t *j)
{
    const char *key;
    json_t *value;
    if (!json_is_object(j))
        return fail(r->diag, nowhere, "%s: __metadata__ is not an object", r->name);
    json_object_foreach(j, key, value)
    {
        if (!json_is_string(value))
            return fail(r->diag, nowhere, "%s: metadata '%s' is not a text", r->name, key);
        const struct metadata m = {arena_strdup(r->arena, key),
                                   arena_strdup(r->arena, json_string_value(value))};
        APPEND(r->arena, r->out->metadata, r->out->n_metadata, m);
    }
    return true;
}

static int by_begin(const void *x, const void *y)
{
    const struct safetensors_range *a = x, *b = y;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

// The format wants the data covered: no byte twice, none unnamed.
static bool check_ranges(struct safetensors_reading *r)
{
    int64_t at = 0;
    if (r->n_range)
        qsort(r->range, (size_t)r->n_range, sizeof *r->range, by_begin);
    for (int i = 0; i < r->n_range; at = r->range[i++].end) {
        if (r->range[i].begin < at)
            return fail(r->diag, nowhere, "%s: tensors '%s' and '%s' overlap", r->name,
                        r->range[i - 1].tensor, r->range[i].tensor);
        if (r->range[i].begin > at)
            return fail(r->diag, nowhere, "%s: nothing names the bytes before tensor '%s'", r->name,
                        r->range[i].tensor);
    }
    return at == r->n_data || fail(r->diag, nowhere, "%s: nothing names the last %lld bytes",
                                   r->name, (long long)(r->n_data - at));
}

static int by_name(const void *x, const void *y)
{
    return strcmp(((const struct tensor *)x)->name, ((const struct tensor *)y)->name);
}

static bool safetensors_read_header(struct safetensors_reading *r, const json_t *header)
{
    const char *name;
    json_t *value;
    bool ok = true;
    json_object_foreach((json_t *)header, name, value)
        ok &= !strcmp(name, "__metadata__") ? read_metadata(r, value) : read_tensor(r, name, value);
    if (!ok || !check_ranges(r))
        return false;
    if (r->out->n)
        qsort(r->out->tensor, (size_t)r->out->n, sizeof *r->out->tensor, by_name);
    return true;
}

struct safetensors *safetensors_parse(struct arena *a, const char *name, const void *bytes,
                                      size_t n, struct diag *d)
{
    uint64_t length = 0;
    if (n >= 8)
        memcpy(&length, bytes, 8);
    if (n < 8 || length > n - 8 || length > HEADER_MAX)
        return fail(d, nowhere, "%s is not a safetensors file, or its end is missing", name), NULL;
    const char *text = (const char *)bytes + 8;
    json_error_t error;
    json_t *header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(header)) {
        json_decref(header);
        return fail(d, nowhere, "%s: its header is damaged: %s", name,
                    header ? "no object" : error.text),
               NULL;
    }
    struct safetensors_reading r = {.arena = a,
                                    .diag = d,
                                    .name = name,
                                    .data = (const uint8_t *)text + length,
                                    .n_data = (int64_t)(n - 8 - length),
                                    .out = NEW(a, struct safetensors)};
    const bool ok = safetensors_read_header(&r, header);
    json_decref(header);
    return ok ? r.out : NULL;
}

struct mapping {
    void *at;
    size_t n;
};

static void unmap(void *context)
{
    struct mapping *m = context;
    munmap(m->at, m->n);
}

static struct mapping *map_file(struct arena *a, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    struct mapping *m = NULL;
    if (fd < 0)
        return NULL;
    if (!fstat(fd, &st) && st.st_size > 0) {
        void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at != MAP_FAILED) {
            m = NEW(a, struct mapping);
            *m = (struct mapping){at, (size_t)st.st_size};
            arena_defer(a, unmap, m);
        }
    } else if (!errno || st.st_size == 0) {
        errno = ENODATA;
    }
    close(fd);
    return m;
}

struct safetensors *safetensors_open(struct arena *a, const char *path, struct diag *d)
{
    errno = 0;
    const struct mapping *m = map_file(a, path);
    if (!m)
        return fail(d, nowhere, "cannot read %s: %s", path, strerror(errno)), NULL;
    return safetensors_parse(a, path, m->at, m->n, d);
}

const struct tensor *safetensors_find(const struct safetensors *s, const char *name)
{
    const struct tensor key = {.name = name};
    return s->n ? bsearch(&key, s->tensor, (size_t)s->n, sizeof *s->tensor, by_name) : NULL;
}

const char *safetensors_metadata(const struct safetensors *s, const char *key)
{
    for (int i = 0; i < s->n_metadata; i++)
        if (!strcmp(s->metadata[i].key, key))
            return s->metadata[i].value;
    return NULL;
}
