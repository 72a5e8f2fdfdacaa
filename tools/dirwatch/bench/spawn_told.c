// spawn_told JOBS COMMAND ARGUMENT...: runs COMMAND with each path that standard input tells, NUL behind each, so
// many at a time. It watches nothing and remembers nothing: what a watcher costs above this is its own.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void reap(long *running, int options) {
    while (*running > 0) {
        pid_t ended = waitpid(-1, NULL, options);
        if (ended == 0)
            return;
        if (ended == -1 && errno != EINTR)
            err(2, "cannot wait");
        if (ended > 0 && (--*running, options == 0))
            return;
    }
}

int main(int argc, char **argv) {
    if (argc < 3)
        errx(2, "usage: spawn_told JOBS COMMAND ARGUMENT...");
    long jobs = atol(argv[1]), running = 0;
    char *command[argc + 1];
    for (int at = 2; at < argc; at++)
        command[at - 2] = argv[at];
    command[argc - 1] = NULL;
    char *path = NULL;
    size_t room = 0;
    while (getdelim(&path, &room, '\0', stdin) > 0) {
        reap(&running, running < jobs ? WNOHANG : 0);
        command[argc - 2] = path;
        pid_t child;
        if ((errno = posix_spawnp(&child, command[0], NULL, NULL, command, environ)) != 0)
            err(2, "cannot start %s", command[0]);
        running++;
    }
    while (running > 0)
        reap(&running, 0);
    return 0;
}
