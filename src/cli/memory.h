// What libraries do when memory is out: end as the rest of the program does, with a line.
#ifndef CLI_MEMORY_H
#define CLI_MEMORY_H

void memory_guard(void); // once, before anything else is called

#endif
