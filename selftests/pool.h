/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm selftests: the module as a program sees it: load, unload, commands and files.
 *
 * Functions return 0 or a negative errno unless they say otherwise. The module file is looked for
 * at $POCKETMM_KO, beside the program, at the root and among the installed modules.
 */
#ifndef POCKETMM_POOL_H
#define POCKETMM_POOL_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ktap.h"

#define POOL_DIR	"/sys/kernel/debug/pocketmm/"
#define POOL_PAGE	pool_page()
#define POOL_PAGE_MAX	65536UL		/* of any kernel; for arrays */

/*
 * A device whose registers may be read, up to the end of a page even of 16 KiB: the 32 virtio
 * transports of QEMU's virt machine, or the HPET of a PC. On arm64 an address with nothing behind
 * it would be an external abort.
 */
#ifdef __aarch64__
#define POOL_DEVICE	"0xa000000"
#else
#define POOL_DEVICE	"0xfed00000"
#endif

/* Bytes of a page. */
static inline __attribute__((const)) unsigned long pool_page(void)
{
	return sysconf(_SC_PAGESIZE);
}

static char pool_text[1 << 16];		/* what pool_read() read last */

static KTAP_UNUSED const char *pool_module_beside(char *path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (len < 0)
		return NULL;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash - path) + sizeof("/pocketmm.ko") > size)
		return NULL;
	strcpy(slash, "/pocketmm.ko");
	return access(path, R_OK) ? NULL : path;
}

/* The module file, or NULL. */
static KTAP_UNUSED const char *pool_module(void)
{
	static const char * const places[] = {
		"/pocketmm.ko", "/lib/modules/%s/updates/pocketmm.ko",
		"/lib/modules/%s/extra/pocketmm.ko",
	};
	static char path[PATH_MAX];
	struct utsname uts;
	unsigned int i;

	if (getenv("POCKETMM_KO"))
		return getenv("POCKETMM_KO");
	if (pool_module_beside(path, sizeof(path)))
		return path;
	uname(&uts);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), places[i], uts.release);
		if (!access(path, R_OK))
			return path;
	}
	return NULL;
}

/* Of a parameter that is given twice the last counts: $POCKETMM_PARAMS is what tests do not say. */
static KTAP_UNUSED int pool_load(const char *parameters)
{
	int fd = open(pool_module(), O_RDONLY | O_CLOEXEC), err = 0;
	const char *common = getenv("POCKETMM_PARAMS");
	char all[512];

	if (fd < 0)
		return -errno;
	snprintf(all, sizeof(all), "%s %s", common ? common : "", parameters);
	if (syscall(SYS_finit_module, fd, all, 0))
		err = -errno;
	close(fd);
	return err;
}

/* The same with the sizes of the chunk and of the window, in pages. */
static KTAP_UNUSED int pool_load_pages(unsigned long chunk, unsigned long window, const char *rest)
{
	char parameters[256];

	snprintf(parameters, sizeof(parameters), "chunk=%lu window=%lu %s", chunk * POOL_PAGE,
		 window * POOL_PAGE, rest);
	return pool_load(parameters);
}

/* Does the module that is loaded have this value of this parameter? */
static KTAP_UNUSED bool pool_with(const char *name, const char *value)
{
	char path[PATH_MAX], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/pocketmm/parameters/%s", name);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, value);
}

static KTAP_UNUSED int pool_unload(void)
{
	return syscall(SYS_delete_module, "pocketmm", O_NONBLOCK) ? -errno : 0;
}

/* Why these tests cannot run here, or NULL; a module that is loaded and unused is unloaded. */
static KTAP_UNUSED const char *pool_obstacle(void)
{
	int err;

	if (geteuid())
		return "must be root";
	if (!pool_module())
		return "no pocketmm.ko";
	if (access("/sys/kernel/debug", X_OK) ||
	    (access("/sys/kernel/debug/x86", F_OK) &&
	     mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL) && errno != EBUSY))
		return "no debugfs";
	err = pool_unload();
	return err && err != -ENOENT ? "pocketmm is loaded and in use" : NULL;
}

/* A file descriptor or a negative errno. */
static KTAP_UNUSED int pool_open(const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), POOL_DIR "%s", name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A small file's whole text, in pool_text; empty if it cannot be read. */
static KTAP_UNUSED const char *pool_read(const char *name)
{
	int fd = pool_open(name, O_RDONLY);
	size_t len = 0;
	ssize_t got;

	pool_text[0] = '\0';
	if (fd < 0)
		return pool_text;
	while ((got = read(fd, pool_text + len, sizeof(pool_text) - 1 - len)) > 0)
		len += got;
	pool_text[len] = '\0';
	close(fd);
	return pool_text;
}

static KTAP_UNUSED __attribute__((format(printf, 1, 2))) int pool_command(const char *fmt, ...)
{
	int fd = pool_open("command", O_WRONLY), len, err = 0;
	char text[4096];
	va_list args;

	if (fd < 0)
		return fd;
	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (write(fd, text, len) != len)
		err = -errno;
	close(fd);
	return err;
}

/* The number behind ' NAME=' in a line of `result`, or -1. */
static KTAP_UNUSED long pool_value(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *at;

	for (at = strstr(text, name); at; at = strstr(at + 1, name))
		if (at > text && at[-1] == ' ' && at[len] == '=')
			return strtol(at + len + 1, NULL, 10);
	return -1;
}

/* The value that the last write to `command` printed for a name, or -1. */
static KTAP_UNUSED long pool_result(const char *name)
{
	const char *text = strstr(pool_read("result"), " -> ");

	return text ? pool_value(text, name) : -1;
}

/* A value of `stats`, or -1. */
static KTAP_UNUSED long pool_stat(const char *name)
{
	const char *line = pool_read("stats");
	size_t len = strlen(name);

	for (; line && *line; line = strchr(line, '\n'), line += !!line)
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtol(line + len, NULL, 10);
	return -1;
}

/* Free pages, on whichever list. */
static KTAP_UNUSED long pool_free_pages(void)
{
	long cached = pool_stat("pcp_pages");

	return pool_stat("free_pages") + (cached > 0 ? cached : 0);
}

static KTAP_UNUSED bool pool_verify(void)
{
	bool ok = !strncmp(pool_read("verify"), "ok ", 3);

	if (!ok)
		ktap_note("verify: %s", pool_text);
	return ok;
}

/* Warnings from the module between the two are wanted: tests that watch the log ignore them. */
static KTAP_UNUSED void pool_log(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		ktap_note("/dev/kmsg: %s", strerror(errno));
	close(fd);
}

static KTAP_UNUSED void pool_expect_log_begin(void)
{
	pool_log("pocketmm-selftest: expect begin\n");
}

static KTAP_UNUSED void pool_expect_log_end(void)
{
	pool_log("pocketmm-selftest: expect end\n");
}

#endif /* POCKETMM_POOL_H */
