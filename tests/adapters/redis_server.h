/* A redis-server of a test's own, on a unix socket in a temporary folder, ended by its process id.
 */
#ifndef TESTS_REDIS_SERVER_H
#define TESTS_REDIS_SERVER_H

#include <hiredis/hiredis.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct redis_server {
    char folder[64];
    char socket[96];
    pid_t process;
};

#define REDIS_SERVER_ARGUMENTS 8

/* Starts a server on the folder of `server`; extra ends with NULL. Waits until it accepts
 * connections. */
static inline void redis_server_run(struct redis_server *server, const char *const *extra)
{
    const char *words[16 + REDIS_SERVER_ARGUMENTS] = {"redis-server",
                                                      "--port",
                                                      "0",
                                                      "--unixsocket",
                                                      server->socket,
                                                      "--dir",
                                                      server->folder,
                                                      "--save",
                                                      "",
                                                      "--appendonly",
                                                      "no",
                                                      "--daemonize",
                                                      "no"};
    size_t count = 13;
    for (size_t i = 0; extra && extra[i]; i++)
        words[count++] = extra[i];
    (void)unlink(server->socket);
    server->process = fork();
    if (server->process == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails never gets to stop it */
        int nowhere = open("/dev/null", O_WRONLY);
        (void)dup2(nowhere, 1);
        (void)dup2(nowhere, 2);
        (void)execvp(words[0], (char *const *)words);
        _exit(127);
    }
    for (int i = 0; i < 500; i++) {
        redisContext *context = redisConnectUnix(server->socket);
        int failed = !context || context->err;
        if (context)
            redisFree(context);
        if (!failed)
            return;
        (void)usleep(10000);
    }
    (void)fprintf(stderr, "redis-server does not start\n");
    abort();
}

static inline void redis_server_start(struct redis_server *server, const char *const *extra)
{
    (void)snprintf(server->folder, sizeof server->folder, "/tmp/baton-redis-XXXXXX");
    if (!mkdtemp(server->folder))
        abort();
    (void)snprintf(server->socket, sizeof server->socket, "%s/redis.sock", server->folder);
    redis_server_run(server, extra);
}

/* kill -9: nothing is saved. */
static inline void redis_server_kill(struct redis_server *server)
{
    if (server->process > 0) {
        (void)kill(server->process, SIGKILL);
        (void)waitpid(server->process, NULL, 0);
    }
    server->process = 0;
}

static inline void redis_server_stop(struct redis_server *server)
{
    redis_server_kill(server);
    static const char *const files[] = {"redis.sock", "dump.rdb", "older.rdb"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", server->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(server->folder);
}

/* One command by the side door; the caller frees the answer. */
__attribute__((format(printf, 2, 3))) static inline redisReply *
redis_server_do(struct redis_server *server, const char *format, ...)
{
    redisContext *context = redisConnectUnix(server->socket);
    if (!context || context->err)
        abort();
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(context, format, arguments);
    va_end(arguments);
    redisFree(context);
    return reply;
}

#endif
