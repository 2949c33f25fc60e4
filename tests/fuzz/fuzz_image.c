// Fuzzes the decoder of pictures: whatever the bytes, memory stays bounded, every pixel promised is
// there and a refusal says why. stb is built by itself, libwebp as installed: tests/fuzz/run.sh 60 image.
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    for (int channels = 1; channels <= 3; channels += 2) {
        const struct image_wish wish = {
            .channels = channels, .background = {9, 99, 199}, .range = {0, channels == 1 ? 99 : 0}};
        struct image_facts facts;
        struct arena *a = arena_new(NULL);
        struct image image;
        const char *why = NULL;
        if (image_decode(a, data, n, &wish, &image, &facts, &why)) {
            const size_t size = (size_t)image.width * (size_t)image.height * (size_t)channels;
            uint8_t *copy = malloc(size);
            memcpy(copy, image.pixel, size);
            free(copy);
        } else if (!why || !*why) {
            abort();
        }
        arena_free(a);
    }
    return 0;
}
