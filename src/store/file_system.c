// By the magic number that statfs gives. FUSE and 9p may be local, but what stands behind them
// (sshfs, a virtual machine's host) does not keep the promises about locks and shared memory that
// SQLite builds on.
#include "store/file_system.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/statfs.h>

#include "base/arena.h"
#include "base/file.h"

static const struct {
    unsigned long magic;
    const char *name;
} network[] = {
    {NFS_SUPER_MAGIC, "NFS"}, {SMB_SUPER_MAGIC, "SMB"}, {0xFF534D42, "CIFS"},
    {0xFE534D42, "SMB2"},     {0x0BD00BD0, "Lustre"},   {0x47504653, "GPFS"},
    {0x19830326, "BeeGFS"},   {0x00C36400, "Ceph"},     {0x5346414F, "AFS"},
    {0x65735546, "FUSE"},     {V9FS_MAGIC, "9p"},
};

static int file_system_of(const char *path, struct statfs *s)
{
    if (!statfs(path, s) || errno != ENOENT)
        return 0;
    char *folder = file_folder(path);
    const int got = statfs(folder, s);
    free(folder);
    return got;
}

const char *network_file_system(const char *path)
{
    struct statfs s = {0};
    if (file_system_of(path, &s))
        return NULL;
    for (size_t i = 0; i < LENGTH(network); i++)
        if (((unsigned long)s.f_type & 0xFFFFFFFF) == network[i].magic)
            return network[i].name;
    return NULL;
}
