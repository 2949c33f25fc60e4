// What a file system is not good for. For store/ alone.
#ifndef STORE_FILE_SYSTEM_H
#define STORE_FILE_SYSTEM_H

// The kind of network file system that a path, or else its folder, is on ("NFS"); NULL where it is on
// none. Several hosts may write such a one, and SQLite's shared memory is of one host.
const char *network_file_system(const char *path);

#endif
