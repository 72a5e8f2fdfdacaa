// The lower limit of a safe edit: limit FILE [KEY] adds 1 to the first `"KEY": N` in FILE.
//
// Lock, read, write beside, fsync, rename, fsync the folder, every error checked, and nothing else: it
// parses no JSON, keeps no ACL, follows no link. What a safe tool takes above this is its own cost.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// A piece stays in the cache between the read and the write; a mapping costs a fault for every page of it.
enum { PIECE = 256 * 1024 };

static int check(int result, const char *what) {
    if (result == -1)
        err(2, "cannot %s", what);
    return result;
}

// The name may have gone to a new inode while this waited, and a lock on the old one guards nothing.
static int open_locked(int folder, const char *name, struct stat *status) {
    for (;;) {
        int file = check(openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW), "open");
        check(flock(file, LOCK_EX), "lock");
        struct stat named;
        check(fstat(file, status), "stat");
        check(fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW), "stat");
        if (named.st_ino == status->st_ino && named.st_dev == status->st_dev)
            return file;
        check(close(file), "close");
    }
}

static size_t read_piece(int file, char *into, size_t size, off_t at) {
    size_t have = 0;
    while (have < size) {
        ssize_t count = pread(file, into + have, size - have, at + (off_t)have);
        if (count == -1 && errno == EINTR)
            continue;
        check(count == -1 ? -1 : 0, "read");
        if (count == 0)
            break;
        have += (size_t)count;
    }
    return have;
}

static void write_all(int file, const char *from, size_t size) {
    while (size > 0) {
        ssize_t count = write(file, from, size);
        if (count == -1 && errno == EINTR)
            continue;
        check(count == -1 ? -1 : 0, "write");
        from += count;
        size -= (size_t)count;
    }
}

// Copies old to new with the number behind `key` one higher. A key may lie across two pieces: until it is
// found, each piece leaves its end, longer than a key with its number, to the next.
static void copy_edited(int old, int new, const char *key) {
    enum { OVERLAP = 256 };
    static char piece[PIECE + 1];
    size_t kept = 0, have = PIECE;
    int edited = 0;
    for (off_t at = 0; have == PIECE; at += (off_t)(have - kept)) {
        have = kept + read_piece(old, piece + kept, PIECE - kept, at + (off_t)kept);
        piece[have] = 0;
        char *rest = piece, *end = piece + have, *found = edited ? NULL : memmem(piece, have, key, strlen(key));
        if (found && (have < PIECE || found + OVERLAP <= end)) {
            char number[24], *digits = found + strlen(key);
            errno = 0;
            long long value = strtoll(digits, &rest, 10);
            if (rest == digits || errno != 0)
                errx(2, "no number behind %s", key);
            write_all(new, piece, (size_t)(digits - piece));
            write_all(new, number, (size_t)snprintf(number, sizeof number, "%lld", value + 1));
            edited = 1;
        }
        kept = edited || have < PIECE ? 0 : OVERLAP;
        write_all(new, rest, (size_t)(end - rest) - kept);
        memmove(piece, end - kept, kept);
    }
    if (!edited)
        errx(2, "no %s", key);
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3)
        errx(2, "usage: limit FILE [KEY]");
    char *slash = strrchr(argv[1], '/'), *name = slash ? slash + 1 : argv[1], key[128], beside[512];
    if (slash)
        *slash = 0;
    snprintf(key, sizeof key, "\"%s\": ", argc == 3 ? argv[2] : "counter");
    snprintf(beside, sizeof beside, ".%s.%d.tmp", name, (int)getpid());
    int folder = check(open(slash ? argv[1] : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open the folder");
    struct stat status;
    int old = open_locked(folder, name, &status);
    int new = check(openat(folder, beside, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600), "create");
    copy_edited(old, new, key);
    check(fchmod(new, status.st_mode & 07777), "set the mode");
    check(fsync(new), "sync");
    check(close(new), "close");
    check(renameat(folder, beside, folder, name), "rename");
    check(fsync(folder), "sync the folder");
    return 0;
}
