// Which build of the kernels runs. The widest instruction set that the processor has and oneDNN
// uses, so that ONEDNN_MAX_CPU_ISA=AVX2 makes of the whole program what it is on a smaller machine;
// the portable build anywhere else.
#include "codegen/tasks.h"

#include "codegen/onednn/dnn.h"

#include <omp.h>

extern const struct kernels kernels_portable;
#ifdef __x86_64__
extern const struct kernels kernels_avx2, kernels_avx512, kernels_avx512_bf16;
#endif

const struct kernels *kernels_at(int i)
{
    const struct kernels *known[5] = {&kernels_portable};
    int n = 1;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        known[n++] = &kernels_avx2;
    if (n == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512cd"))
        known[n++] = &kernels_avx512;
    if (n == 3 && __builtin_cpu_supports("avx512bf16"))
        known[n++] = &kernels_avx512_bf16;
#endif
    return i < n ? known[i] : NULL;
}

const struct kernels *kernels(void)
{
    static bool (*const used[])(void) = {dnn_uses_avx2, dnn_uses_avx512, dnn_multiplies_bf16};
    static const struct kernels *best;
    for (int i = 0; !best; i++)
        if (!kernels_at(i + 1) || !used[i]())
            best = kernels_at(i);
    return best;
}

// A thread's wake-up costs a few microseconds: about what 16k elements take.
int kernel_threads(int64_t floats)
{
    const int64_t most = omp_get_max_threads(), worth = floats / 16384;
    return (int)(worth < 1 ? 1 : worth < most ? worth : most);
}
