// Which way up a photograph is.
#ifndef BASE_IMAGE_EXIF_H
#define BASE_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct image;

// The EXIF orientation of a JPEG, PNG or WebP, 1 to 8; 1 where it says nothing that can be read.
int exif_orientation(const uint8_t *byte, size_t n);
// The picture as it is to be seen; its pixels may be new ones, of the arena.
void exif_turn(struct arena *a, struct image *image, int orientation);

#endif
