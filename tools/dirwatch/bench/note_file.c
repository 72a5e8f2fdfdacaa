// note_file NOTES PATH: the command that is run for each file. Appends one line to NOTES with one write: when it
// started in nanoseconds since 1970, the serial number the file begins with, the size of the file, the attempt
// and the idempotency key it was told, and the path. `-` is what is not known; a newline in the path is \n.
//
// It opens the file, as every real command does: a watcher has to bear the events of that.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SERIAL = 15, LONGEST = 4096 };

static const char *told(const char *name) {
    const char *value = getenv(name);
    return value && *value && !strchr(value, ' ') && strlen(value) < 200 ? value : "-";
}

static char *escape(char *into, const char *path) {
    for (size_t at = 0; path[at] && at < LONGEST; at++) {
        if (path[at] == '\n' || path[at] == '\\')
            *into++ = '\\';
        *into++ = path[at] == '\n' ? 'n' : path[at];
    }
    return into;
}

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (argc != 3)
        return 2;
    char size[24] = "-", serial[SERIAL + 1] = "-";
    struct stat status;
    int file = open(argv[2], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file != -1 && fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        snprintf(size, sizeof size, "%lld", (long long)status.st_size);
        if (pread(file, serial, SERIAL, 0) != SERIAL)
            strcpy(serial, "-");
    }
    const char *number = serial + strspn(serial, " ");
    char line[2 * LONGEST + 600];
    int head = snprintf(line, 600, "%lld%09ld %s %s %s %s ", (long long)now.tv_sec, now.tv_nsec, *number ? number : "-", size,
                        told("DIRWATCH_ATTEMPT"), told("DIRWATCH_ID"));
    char *end = escape(line + head, argv[2]);
    *end++ = '\n';
    int notes = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return notes == -1 || write(notes, line, (size_t)(end - line)) != end - line;
}
