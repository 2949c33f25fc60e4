// Plain files are read and nothing else, without waiting; a file is replaced as a whole or not at all, and what is no plain file
// is written into and stays what it is.
#include "base/arena.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena *arena;
static char home[64];

static const char *at(const char *name) { return arena_printf(arena, "%s/%s", home, name); }

static int begin(void **state)
{
    (void)state;
    arena = arena_new(NULL);
    strcpy(home, "/tmp/test_file.XXXXXX");
    return !mkdtemp(home);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at_level)
{
    (void)st, (void)type, (void)at_level;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *content)
{
    assert_true(file_replace(at(name), content, strlen(content)));
}

static void holds(const char *name, const char *content)
{
    size_t n;
    const char *why, *text = file_text(arena, at(name), 100, &n, &why);
    assert_non_null(text);
    assert_int_equal(n, strlen(content));
    assert_string_equal(text, content);
}

static int entries(void)
{
    char *command = arena_printf(arena, "ls -A %s | wc -l", home), line[16] = "";
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    pclose(f);
    return atoi(line);
}

static void refuses(const char *path, const char *what)
{
    const char *why;
    size_t n;
    struct bytes bytes;
    errno = EIO;
    assert_int_equal(file_open(path, &why), -1);
    assert_string_equal(why, what);
    assert_int_equal(errno, 0);
    assert_null(file_stream(path));
    assert_null(file_text(arena, path, 100, &n, &why));
    assert_string_equal(why, what);
    assert_false(file_read(arena, path, &bytes, &why));
    assert_string_equal(why, arena_printf(arena, "is %s", what));
}

static void only_plain_files_are_read(void **state)
{
    (void)state;
    struct sockaddr_un socket_at = {.sun_family = AF_UNIX};
    const int s = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(socket_at.sun_path, sizeof socket_at.sun_path, "%s/socket", home);
    assert_int_equal(bind(s, (struct sockaddr *)&socket_at, sizeof socket_at), 0);
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    assert_int_equal(symlink("pipe", at("link")), 0);
    refuses(at("pipe"), "a pipe where a file is expected");
    refuses(at("link"), "a pipe where a file is expected");
    refuses(at("socket"), "a socket where a file is expected");
    refuses("/dev/zero", "a device where a file is expected");
    refuses("/dev/null", "a device where a file is expected");
    refuses(home, "a folder where a file is expected");
    close(s);
}

static void what_is_missing_keeps_the_systems_reason(void **state)
{
    (void)state;
    const char *why;
    struct bytes bytes;
    assert_int_equal(file_open(at("none"), &why), -1);
    assert_int_equal(errno, ENOENT);
    assert_string_equal(why, strerror(ENOENT));
    assert_false(file_read(arena, at("none"), &bytes, &why));
    assert_string_equal(why, "cannot be opened: No such file or directory");
    put("empty", "");
    assert_false(file_read(arena, at("empty"), &bytes, &why));
    assert_string_equal(why, "is empty");
}

static void a_handed_descriptor_may_be_a_pipe(void **state)
{
    (void)state;
    int fd[2];
    size_t n;
    const char *why;
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], "a: 1\n", 5), 5);
    const char *path = arena_printf(arena, "/dev/fd/%d", fd[0]);
    close(fd[1]);
    const char *text = file_text(arena, path, 100, &n, &why);
    assert_non_null(text);
    assert_string_equal(text, "a: 1\n");
    close(fd[0]);
}

static void a_text_is_read_up_to_one_byte_more(void **state)
{
    (void)state;
    size_t n;
    const char *why;
    put("text", "0123456789");
    assert_string_equal(file_text(arena, at("text"), 10, &n, &why), "0123456789");
    assert_string_equal(file_text(arena, at("text"), 4, &n, &why), "01234");
    assert_int_equal(n, 5);
}

static bool half(int fd, void *context)
{
    (void)context;
    assert_true(file_write_bytes(fd, "half", 4));
    errno = ENOSPC;
    return false;
}

static void a_file_is_replaced_whole_or_not(void **state)
{
    (void)state;
    put("file", "old");
    assert_false(file_replace_by(at("file"), half, NULL));
    assert_int_equal(errno, ENOSPC);
    holds("file", "old");
    assert_false(file_replace_by(at("other"), half, NULL));
    assert_int_equal(entries(), 1);
    put("file", "new");
    holds("file", "new");
    assert_int_equal(entries(), 1);
    assert_false(file_replace(at("no/such/folder"), "x", 1));
    assert_int_equal(errno, ENOENT);
    char *longest = arena_alloc(arena, 256);
    memset(longest, 'n', 255);
    put(longest, "under the longest name there is");
}

static void a_link_stays_one(void **state)
{
    (void)state;
    put("file", "old");
    assert_int_equal(symlink("file", at("link")), 0);
    assert_int_equal(symlink("later", at("dangling")), 0);
    put("link", "new");
    holds("file", "new");
    put("dangling", "first");
    holds("later", "first");
    struct stat st;
    assert_int_equal(lstat(at("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(at("dangling"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void what_is_no_plain_file_stays_what_it_is(void **state)
{
    (void)state;
    struct stat st;
    char got[4] = "";
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    assert_false(file_replace(at("pipe"), "x", 1)); // that nobody reads
    assert_int_equal(errno, ENXIO);
    const int reader = open(at("pipe"), O_RDONLY | O_NONBLOCK);
    put("pipe", "abc");
    assert_int_equal(read(reader, got, 3), 3);
    assert_string_equal(got, "abc");
    close(reader);
    assert_int_equal(lstat(at("pipe"), &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_false(file_replace(home, "x", 1));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(entries(), 1);
}

static void a_device_stays_one(void **state)
{
    (void)state;
    struct stat st;
    if (mknod(at("null"), S_IFCHR | 0600, makedev(1, 3)) ||
        mknod(at("full"), S_IFCHR | 0600, makedev(1, 7)))
        skip(); // no right to
    const int fd = open(at("null"), O_WRONLY);
    if (fd < 0)
        skip(); // a file system without devices
    close(fd);
    put("null", "x");
    assert_false(file_replace(at("full"), "x", 1));
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(lstat(at("null"), &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_int_equal(lstat(at("full"), &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_plain_files_are_read),
        TEST(what_is_missing_keeps_the_systems_reason),
        TEST(a_handed_descriptor_may_be_a_pipe),
        TEST(a_text_is_read_up_to_one_byte_more),
        TEST(a_file_is_replaced_whole_or_not),
        TEST(a_link_stays_one),
        TEST(what_is_no_plain_file_stays_what_it_is),
        TEST(a_device_stays_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
