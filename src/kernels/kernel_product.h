// The product inside Winograd's convolutions (kernel_product.c). For kernels alone.
#ifndef KERNELS_KERNEL_PRODUCT_H
#define KERNELS_KERNEL_PRODUCT_H

#include "kernels/kernel.h"

enum { PANEL = 32 }; // columns that lie beside each other

// r[i][j] = (more ? r[i][j] : 0) + Σ_k a[i·row + k·step]·b[k][j] for i < rows, j < PANEL·panels.
// Column j of row k lies at b[j / PANEL·panel + k·PANEL + j % PANEL]. Where `pairs`, each element of
// a and b is two of bf16, and a product the sum of both of theirs.
struct product {
    float *r;
    const float *a, *b;
    int64_t rows, depth, panels;
    int64_t width, row, step, panel; // strides, in numbers
    bool more, pairs;
};
void KERNEL(product)(const struct product *p);

#endif
