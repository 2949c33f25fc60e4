// A header is believed only after it was checked against what is there: sizes are bounded one by
// one before they are multiplied, a plain file must be exactly as long as it says, and a gzipped
// one is unpacked into room that grows with what comes out and never past one byte more than the
// header announced. Allocating what the header claims fails on a damaged file (2^31 images of 2^31
// pixels), and unpacking until the end fails on a hostile one (a thousand to one).
#include "data/idx.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/file.h"

enum { SIDE_MAX = 1 << 14, HEADER_MAX = 16, GZIP = 15 + 16, FIRST_ROOM = 1 << 16 };

static const uint32_t magic[] = {[IDX_IMAGES] = 0x803, [IDX_LABELS] = 0x801};
static const size_t header_size[] = {[IDX_IMAGES] = 16, [IDX_LABELS] = 8};
static const char *const content_name[] = {[IDX_IMAGES] = "images", [IDX_LABELS] = "labels"};

static uint32_t idx_big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool gzipped(const uint8_t *p, size_t n) { return n >= 2 && p[0] == 0x1f && p[1] == 0x8b; }

static bool check_magic(struct arena *a, enum idx_content content, uint32_t found, const char **why)
{
    if (found == magic[content])
        return true;
    if (found == magic[!content])
        *why = arena_printf(a, "holds %s where %s are expected", content_name[!content],
                            content_name[content]);
    else
        *why = arena_printf(a, "is no IDX file of %s: it begins with %08x, not %08x",
                            content_name[content], found, magic[content]);
    return false;
}

// The sizes out of the header; false when it is short, of another kind, empty or beyond all bounds.
static bool idx_read_header(struct arena *a, enum idx_content content, const uint8_t *p, size_t n,
                            struct idx *out, const char **why)
{
    if (n < 4 || (n < header_size[content] && idx_big_endian(p) == magic[content])) {
        *why = arena_printf(a, "is cut short: %zu bytes, not even a header", n);
        return false;
    }
    if (!check_magic(a, content, idx_big_endian(p), why))
        return false;
    out->count = idx_big_endian(p + 4);
    out->height = content == IDX_IMAGES ? idx_big_endian(p + 8) : 1;
    out->width = content == IDX_IMAGES ? idx_big_endian(p + 12) : 1;
    if (out->count && out->height && out->width && out->height <= SIDE_MAX &&
        out->width <= SIDE_MAX &&
        out->count <= (FILE_BYTES_MAX - HEADER_MAX) / (out->height * out->width))
        return true;
    *why = arena_printf(a, "has a damaged header: it claims %lld %s of %lld × %lld",
                        (long long)out->count, content_name[content], (long long)out->height,
                        (long long)out->width);
    return false;
}

struct room {
    uint8_t *byte;
    size_t n, size;
};

static void idx_widen(struct room *r, size_t most)
{
    r->size = r->size ? 2 * r->size : FIRST_ROOM;
    r->size = r->size < most ? r->size : most;
    uint8_t *bigger = realloc(r->byte, r->size);
    if (!bigger)
        out_of_memory(r->size);
    r->byte = bigger;
}

// Unpacks up to `most` bytes. Files joined end to end unpack to their contents joined, as gzip has
// it. Returns Z_STREAM_END at a good end, Z_OK when there is more, else zlib's complaint.
static int unpack(const uint8_t *file, size_t n, size_t most, struct room *to)
{
    z_stream z = {.next_in = (uint8_t *)file, .avail_in = (uInt)n};
    int status = inflateInit2(&z, GZIP);
    while (status == Z_OK && to->n < most) {
        if (to->n == to->size)
            idx_widen(to, most);
        z.next_out = to->byte + to->n;
        z.avail_out = (uInt)(to->size - to->n);
        status = inflate(&z, Z_NO_FLUSH);
        to->n = to->size - z.avail_out;
        if (status == Z_STREAM_END && z.avail_in)
            status = gzipped(z.next_in, z.avail_in) ? inflateReset(&z) : Z_DATA_ERROR;
    }
    inflateEnd(&z);
    return status;
}

static bool unpack_header(struct arena *a, enum idx_content content, const uint8_t *file, size_t n,
                          struct idx *out, const char **why)
{
    struct room head = {NULL};
    unpack(file, n, header_size[content], &head);
    const bool good = idx_read_header(a, content, head.byte, head.n, out, why);
    free(head.byte);
    return good;
}

static bool fail_size(struct arena *a, size_t have, size_t want, const char **why)
{
    if (have < want)
        *why = arena_printf(a, "is cut short: %zu of %zu bytes", have, want);
    else
        *why = arena_printf(a, "is longer than its header says: more than %zu bytes", want);
    return false;
}

static bool check_unpacked(struct arena *a, int status, size_t have, size_t want, const char **why)
{
    if (status == Z_STREAM_END && have == want)
        return true;
    if (have != want && (status != Z_DATA_ERROR || have > want))
        return fail_size(a, have, want, why);
    *why = status == Z_BUF_ERROR
               ? "is cut short: gzip's checksum at the end is missing"
               : arena_printf(a, "is damaged: gzip's checks fail after %zu of %zu bytes", have,
                              want);
    return false;
}

bool idx_parse(struct arena *a, enum idx_content content, const uint8_t *file, size_t n,
               struct idx *out, const char **why)
{
    if (n > FILE_BYTES_MAX) {
        *why = "is larger than 1 GiB";
        return false;
    }
    const bool packed = gzipped(file, n);
    if (!(packed ? unpack_header : idx_read_header)(a, content, file, n, out, why))
        return false;
    const size_t want = header_size[content] + (size_t)(out->count * out->height * out->width);
    out->raw = file;
    out->n_raw = want;
    if (packed) {
        struct room r = {NULL};
        const int status = unpack(file, n, want + 1, &r);
        arena_defer(a, free, r.byte);
        out->raw = r.byte;
        if (!check_unpacked(a, status, r.n, want, why))
            return false;
    } else if (n != want) {
        return fail_size(a, n, want, why);
    }
    out->byte = out->raw + header_size[content];
    return true;
}

bool idx_read(struct arena *a, enum idx_content content, const char *path, struct idx *out,
              const char **why)
{
    struct bytes file;
    return file_read(a, path, &file, why) && idx_parse(a, content, file.byte, file.n, out, why);
}
