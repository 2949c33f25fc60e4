// Our own allocations are checked where they are made (base/arena.h). Libraries' are not: a C++ library
// throws what no caller in C can catch, jansson returns NULL deep within a text that is put together, and
// oneDNN writes its code through a null pointer where it got no room for it. Checking each call of
// theirs fails, since most are not ours; each library has one place that is asked first instead.
#include "cli/memory.h"

#include "base/diag.h"

#include <dlfcn.h>
#include <jansson.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { EXIT_OUT_OF_MEMORY = 7, NULL_PAGES = 1 << 20, ROOM = 64 << 20 };

// Nothing here may need memory: no stdio, no exit handlers.
static void end_without_memory(void)
{
    static const char line[] = "ganexp: out of memory: a library has none\n";
    const ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written; // the exit code has to do
    _exit(EXIT_OUT_OF_MEMORY);
}

static void *malloc_or_end(size_t n)
{
    void *p = malloc(n);
    if (!p)
        end_without_memory();
    return p;
}

static bool memory_is_out(void)
{
    void *p = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED)
        munmap(p, ROOM);
    return p == MAP_FAILED;
}

// Returning makes the same instruction fail again, now as if nobody had asked.
static void after_null(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    if ((uintptr_t)info->si_addr < NULL_PAGES && memory_is_out())
        end_without_memory();
    signal(signal_number, SIG_DFL);
}

// std::set_new_handler, where a library of C++ is loaded.
static void guard_new(void)
{
    void (*(*set)(void (*)(void)))(void);
    *(void **)&set = dlsym(RTLD_DEFAULT, "_ZSt15set_new_handlerPFvvE");
    if (set)
        set(end_without_memory);
}

void memory_guard(void)
{
    json_set_alloc_funcs(malloc_or_end, free);
    guard_new();
#ifndef __SANITIZE_ADDRESS__ // which has its own
    const struct sigaction null = {.sa_sigaction = after_null, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &null, NULL);
#endif
}
