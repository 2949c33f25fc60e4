// Vectors as wide as the instruction set that a kernel is built for. For kernels alone.
#ifndef KERNELS_KERNEL_LANES_H
#define KERNELS_KERNEL_LANES_H

#if defined __AVX512F__
enum { LANES = 16 };
#elif defined __AVX__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
// all unrolled: what is indexed stays in registers
#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)

#endif
