// oneDNN is C++ behind a C interface that not every exception stops at: memory that is out inside it
// ends in std::terminate, which aborts. The handler is set by the name that libstdc++ gives it,
// which is looked up, because nothing else here is C++ and a library that is not there has no
// handler to set.
#include "codegen/onednn/dnn_seam.h"

#include "base/arena.h"

#include <dlfcn.h>
#include <string.h>

static void terminated(void) { out_of_memory(0); }

void seam_terminate_with_a_line(void)
{
    typedef void (*handler)(void);
    handler (*set)(handler) = NULL;
    void *found = dlsym(RTLD_DEFAULT, "_ZSt13set_terminatePFvvE");
    memcpy(&set, &found, sizeof set);
    if (set)
        set(terminated);
}
