// Our own allocations are checked where they are made (base/arena.h). Libraries' are not: jansson returns
// NULL deep within a text that is put together, and oneDNN writes its code through a null pointer where
// it got no room for it (what it throws is codegen/onednn/dnn_terminate.c's). Checking each call of theirs
// fails, since most are not ours; each library has one place that is asked first instead.
#include "cli/memory.h"

#include "base/arena.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { NULL_PAGES = 1 << 20, ROOM = 64 << 20 };

static void *malloc_or_end(size_t n) { return must_have(malloc(n), n); }

static bool memory_is_out(void)
{
    void *p = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED)
        munmap(p, ROOM);
    return p == MAP_FAILED;
}

// Whether the instruction is a library's: its own code, or what it has written into memory.
static bool is_of_library(const void *context)
{
#ifdef __x86_64__
    extern const char __executable_start[], etext[];
    const greg_t at = ((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    return at < (greg_t)__executable_start || at >= (greg_t)etext;
#else
    (void)context;
    return false;
#endif
}

// One allocation may fail where the next does not.
static void end_of_library(void)
{
    static const char line[] = "ganexp: a library went through a null pointer: it had no memory, "
                               "or this is a bug\n";
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
        _exit(EXIT_NO_MEMORY); // the exit code has to do
    _exit(EXIT_NO_MEMORY);
}

// Returning makes the same instruction fail again, now as if nobody had asked.
static void after_null(int signal_number, siginfo_t *info, void *context)
{
    if ((uintptr_t)info->si_addr < NULL_PAGES && memory_is_out())
        out_of_memory(0);
    if ((uintptr_t)info->si_addr < NULL_PAGES && is_of_library(context))
        end_of_library();
    signal(signal_number, SIG_DFL);
}

void memory_guard(void)
{
    json_set_alloc_funcs(malloc_or_end, free);
#ifndef __SANITIZE_ADDRESS__ // which has its own
    const struct sigaction null = {.sa_sigaction = after_null, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &null, NULL);
#endif
}
